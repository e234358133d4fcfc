"""What every test stands on: threads, a cache of its own, no network, the shared real images."""

from __future__ import annotations

import contextlib
import ipaddress
import multiprocessing
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parents[1]
CHECKED = ("batch", "diffusion", "metrics", "models", "networks", "objectives")
"""Modules and rooms whose signatures are held against every call that a test makes: types and shapes."""
CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # 1 is a float, as PEP 484 says
install_import_hook([f"sfumato.{name}" for name in CHECKED], f"{__name__}.checked")


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment before anything imports torch; subprocesses of the tests inherit it."""
    if hasattr(config, "workerinput"):  # one of pytest-xdist's processes: share the cores
        threads = max(1, (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
        os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
        return
    cache = tempfile.mkdtemp(prefix="sfumato-tests-")  # one for all workers, as in real life
    config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))
    os.environ["SFUMATO_CACHE"] = cache
    os.environ["MPLBACKEND"] = "Agg"


def _is_local(address: Any) -> bool:
    """Tell whether a socket's address stays on this machine."""
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = address[0]
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection and look-up of a name that would leave this machine."""
    patch = pytest.MonkeyPatch()

    def guard(owner: Any, name: str, place: int) -> None:
        original = getattr(owner, name)

        def guarded(*args: Any, **kwargs: Any) -> Any:
            address = args[place]
            target = (address,) if owner is socket and isinstance(address, str | bytes) else address
            if target is not None and not _is_local(target):
                raise RuntimeError(f"{name}({address!r}): tests must not use the network")
            return original(*args, **kwargs)

        patch.setattr(owner, name, guarded)

    guard(socket.socket, "connect", 1)
    guard(socket.socket, "connect_ex", 1)
    guard(socket, "getaddrinfo", 0)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def small_images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An .npz of 60 images of 16x16 in 3 classes."""
    path = tmp_path_factory.mktemp("images") / "small.npz"
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (60, 4, 4, 3), np.uint8)
    np.savez(path, images=coarse.repeat(4, axis=1).repeat(4, axis=2), labels=np.arange(60) % 3)
    return str(path)


@pytest.fixture(scope="session")
def lpips_weights() -> Callable[[Path, str], tuple[Path, Path]]:
    """Return what writes seeded weights of an LPIPS network, in the layout of the published files."""
    import torch
    from safetensors.torch import save_file
    from torchvision import models

    from sfumato.metrics.lpips import TRUNKS

    def write(folder: Path, network: str) -> tuple[Path, Path]:
        """Write the trunk and the heads."""
        trunk, generator = TRUNKS[network], torch.Generator().manual_seed(0)
        with torch.device("meta"):
            layers = getattr(models, trunk.architecture)(weights=None).features
        weights = {
            f"features.{name}": torch.randn(value.shape, generator=generator)
            * (2 / max(1, value[0].numel())) ** 0.5
            for name, value in layers.state_dict().items()
        }
        heads = {
            f"lin{i}.model.1.weight": torch.rand((1, channels, 1, 1), generator=generator)
            for i, channels in enumerate(trunk.channels)
        }
        paths = folder / f"{network}.safetensors", folder / f"{network}_heads.pth"
        save_file(weights, paths[0])
        torch.save(heads, paths[1])
        return paths

    return write


@pytest.fixture(scope="session")
def shortly() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Return a context in which the ruler is small and trained for a moment only."""

    @contextlib.contextmanager
    def short() -> Iterator[None]:
        from sfumato import models, recipe  # noqa: F401
        from sfumato.config import override

        entry = recipe.lookup("domain")
        keys = ["training.images=3072", "training.batch_size=32", "model.width=8", "model.features=16",
                "training.precision=float32"]  # fmt: skip
        with pytest.MonkeyPatch.context() as patch:
            changed = entry._replace(recipe=lambda: override(entry.recipe(), keys))
            patch.setitem(recipe._registry, "domain", changed)
            yield

    return short


@pytest.fixture
def short_ruler(shortly: Callable[[], contextlib.AbstractContextManager[None]]) -> Iterator[None]:
    """Train the ruler for a moment only."""
    with shortly():
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images beside the checkout; tests that need it are skipped without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real images of ../shared/data, which are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def processes() -> Iterator[Callable[[str], Any]]:
    """Start code in a process of its own, forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "sfumato.api", "sfumato.models", "sfumato.cli.judgement"])
    started = []

    def start(code: str):
        process = context.Process(target=exec, args=(code, {}))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        if process.is_alive():
            process.kill()
        process.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; in CI its absence is a failure, elsewhere the test is skipped by name."""
    found = next(
        filter(None, map(shutil.which, (os.environ.get("SFUMATO_CHROMIUM", ""), *CHROMIUM_NAMES))), None
    )
    if found is None:
        missing = f"needs Chromium: set SFUMATO_CHROMIUM or install one of {', '.join(CHROMIUM_NAMES)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=found, args=list(CHROMIUM_FLAGS))
        yield running
        running.close()
