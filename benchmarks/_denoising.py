"""Rows `denoise` and `shipped`: gray pictures with noise or JPEG blocks, against filters and DnCNN."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from _dncnn import DnCNN
from _photographs import Floats, Row, Setting, compressed, gray, line, mean_psnr, noisy
from _timing import compared, interleave

from sfumato import api
from sfumato.restoration.classical import NonLocalMeans, TotalVariation
from sfumato.restoration.compression import find_compression, held_to
from sfumato.restoration.learned import Learned
from sfumato.restoration.method import Classical, Method, Pair, tune

CPU = torch.device("cpu")
REQUIRED = 30.20
"""PSNR on Set12 at sigma 25 after 20 minutes of training."""
WIDE = [
    "model.widths=[32, 64, 128]",
    "training.crop=160",
    "training.batch_size=8",
    "training.ema_halflife=6000",
    "data.test_fraction=0.01",
]
"""Settings of the network that is trained for hours: its third resolution sees 90 pixels far, so crops are as
large as Train400's pictures allow, and nearly all of these are learned from, as by DnCNN."""
PUBLISHED = {
    "Set12 sigma 15": 32.86, "Set12 sigma 25": 30.44, "Set12 sigma 50": 27.18,
    "classic5 quality 10": 29.40, "classic5 quality 20": 31.63, "classic5 quality 30": 32.91,
    "classic5 quality 40": 33.77,
}  # fmt: skip
"""DnCNN for each noise level and DnCNN-3 for JPEG, as published (arXiv:1608.03981)."""
TUNED_ON = 10
"""Pictures of Train400 on which the filters' numbers are chosen."""


def denoise(setting: Setting) -> Row:
    """Train `drunet` on Train400 at sigma 25, and hold it against DnCNN's published weights."""
    return _trained(setting, "drunet", [], REQUIRED)


def denoise_wide(setting: Setting) -> Row:
    """Do the same with a network seven times as large, which needs hours."""
    return _trained(setting, "drunet-wide", WIDE, PUBLISHED["Set12 sigma 25"])


def _trained(setting: Setting, name: str, settings: list[str], required: float) -> Row:
    """Train for the time given, and measure the network alone and as the mean over eight views ("+")."""
    photographs = setting.photographs
    run = api.train(
        "drunet", data=photographs.folder("restoration", "Train400"), run=setting.out / "runs" / name,
        budget=60 * setting.minutes, resume="auto", device="cpu",
        settings=["degradation=awgn-25", *settings],
    )  # fmt: skip
    own = Learned.open(run, CPU)
    methods: dict[str, Method] = {
        "drunet": own,
        "drunet+": _Whole(Learned.open(run, CPU, ensemble=True)),
        "DnCNN-25": DnCNN(photographs.file("weights", "kair_dncnn_25")),
    }
    pairs = damaged_sets(setting)["Set12 sigma 25"]
    found = {key: mean_psnr(method, pairs) for key, method in methods.items()}
    largest = max((bad for bad, _ in pairs), key=lambda bad: bad.size)

    def turn(method: Method) -> Callable[[], int]:
        return lambda: len(method.apply(largest)[:1])

    rates = interleave({key: turn(method) for key, method in methods.items()}, 7, CPU)
    ms = {key: 1e9 / (statistics.median(rate) * largest.size) for key, rate in rates.items()}
    faster = {key: compared(rates[key], rates["DnCNN-25"]) for key in ("drunet", "drunet+")}
    seconds, weights = run.status.seconds, parameters(own)
    trained = f"drunet, {seconds / 60:.0f} min, {weights / 1e6:.1f}M weights"
    return Row(
        must=f"Set12 at sigma 25: {required} dB, at fewer ms per megapixel than DnCNN",
        passed=found["drunet"] >= required and faster["drunet"].quartiles[0] > 1,
        table=[
            f"{'':34}{'dB':>10}{'ms/MP':>10}",
            line(trained, found["drunet"], ms["drunet"]),
            line("the same, mean over eight views", found["drunet+"], ms["drunet+"]),
            line("DnCNN-25, published weights", found["DnCNN-25"], ms["DnCNN-25"]),
        ],
        figures={
            "psnr": rounded(found), "ms_per_megapixel": rounded(ms),
            "times_as_fast": {key: one.ratio for key, one in faster.items()},
            "quartiles": {key: one.quartiles for key, one in faster.items()},
            "training_seconds": seconds, "images_seen": run.status.images, "parameters": weights,
            "required": required,
        },
    )  # fmt: skip


def shipped(setting: Setting) -> Row:
    """Hold the denoiser that comes with the package, which never saw a photograph, against tuned filters."""
    own = Learned.open(setting.run("denoiser"), CPU)
    validation, tests = damaged_sets(setting, "Train400", TUNED_ON), damaged_sets(setting)
    dncnn = DnCNN(setting.photographs.file("weights", "kair_dncnn_25"))
    table = [f"{'':34}{'damaged':>10}{'nlm':>10}{'tv':>10}{'network':>10}{'shipped':>10}{'DnCNN':>10}"]
    figures = {}
    for name, pairs in tests.items():
        chosen = validation[name.replace("Set12", "Train400").replace("classic5", "Train400")]
        nlm, tv = tune(WideNonLocalMeans(), chosen), tune(WideTotalVariation(), chosen)
        bare = float(np.mean([mean_psnr(_Nothing(), [pair]) for pair in pairs]))
        values = [bare, *(mean_psnr(method, pairs) for method in (nlm, tv, own, _Held(own)))]
        table.append(line(name, *values, PUBLISHED[name]))
        figures[name] = {
            "damaged": values[0], "nlm": values[1], "tv": values[2], "alone": values[3], "shipped": values[4],
            "dncnn_published": PUBLISHED[name], "nlm_numbers": [nlm.cut, nlm.sigma], "tv_weight": tv.weight,
        }  # fmt: skip
    measured = mean_psnr(dncnn, tests["Set12 sigma 25"])
    table.append(line("DnCNN-25's weights, measured here", measured))
    return Row(
        must="the shipped denoiser above tuned nlm and tv of scikit-image at every level",
        passed=all(one["shipped"] > max(one["nlm"], one["tv"]) for one in figures.values()),
        table=table,
        figures={"levels": {name: rounded(one) for name, one in figures.items()},
                 "dncnn_measured": round(measured, 3), "parameters": parameters(own)},
    )  # fmt: skip


def damaged_sets(setting: Setting, instead: str = "", most: int = 100) -> dict[str, list[Pair]]:
    """Return (damaged, true) pictures of each level; of other pictures instead, if a folder is named."""

    def true(name: str) -> list[Floats]:
        return [gray(image) for image in list(setting.photographs.set(instead or name).values())[:most]]

    found = {}
    for sigma in (15, 25, 50):
        pairs = [(noisy(good, sigma, seed), good) for seed, good in enumerate(true("Set12"))]
        found[f"{instead or 'Set12'} sigma {sigma}"] = pairs
    for quality in (10, 20, 30, 40):
        pairs = [(compressed(good, quality), good) for good in true("classic5")]
        found[f"{instead or 'classic5'} quality {quality}"] = pairs
    return found


class WideNonLocalMeans(NonLocalMeans):
    """With more numbers to choose from, and the strength of the noise among them."""

    def grid(self) -> Iterator[Classical]:
        """Vary noise and cut."""
        for sigma in (2, 4, 6, 8, 11, 15, 20, 25, 35, 50):
            for cut in (0.4, 0.6, 0.8, 1.0):
                yield WideNonLocalMeans(cut=cut, sigma=sigma / 255)


class WideTotalVariation(TotalVariation):
    """With more numbers to choose from."""

    def grid(self) -> Iterator[Classical]:
        """Vary the weight."""
        for weight in np.geomspace(0.005, 0.3, 18).tolist():
            yield WideTotalVariation(weight=weight)


class _Whole:
    """The network as `sfumato restore` uses it for noise."""

    def __init__(self, own: Learned) -> None:
        self.name, self.own = f"{own.name}+", own

    def apply(self, image: Floats) -> Floats:
        return self.own.brightness(image[..., 0])[..., None]


class _Held:
    """The network as `sfumato restore` uses it: a JPEG is held to the steps that are found in its pixels."""

    def __init__(self, own: Learned) -> None:
        self.name, self.own = own.name, own

    def apply(self, image: Floats) -> Floats:
        made, jpeg = self.own.apply(image), find_compression(image[..., 0])
        return held_to(image[..., 0], made[..., 0], jpeg)[..., None] if jpeg else made


class _Nothing:
    """What the picture is worth as it is."""

    name = "damaged"

    def apply(self, image: Floats) -> Floats:
        return image


def parameters(method: Learned) -> int:
    """Count the weights of a network."""
    return sum(parameter.numel() for parameter in method.model.parameters())


def rounded(values: Mapping[str, object]) -> dict[str, object]:
    """Return numbers with three decimals."""
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in values.items()}
