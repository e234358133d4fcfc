from __future__ import annotations

import hashlib
import http.server
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sfumato.errors import SfumatoError, UsageError
from sfumato.published import Published, Weights, backbone_name, find_weights, load_state

CONTENT = bytes(range(256)) * 6000  # more than one block
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the weights whole, cut short, changed, or not at all; counts who asks."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/absent":
            self.send_error(404)
            return
        body = {"/cut": CONTENT[:70_000], "/other": CONTENT[::-1]}.get(self.path, CONTENT)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def server():
    handler = type("Counting", (Handler,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def published(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("SFUMATO_TEST_WEIGHTS", raising=False)
    url = f"http://127.0.0.1:{server.server_port}/whole"
    return Published("tiny", "tiny-weights.pth", url, SHA, "SFUMATO_TEST_WEIGHTS")


def at(published: Published, path: str) -> Published:
    return replace(published, url=published.url.replace("/whole", path))


def kept(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "weights"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_a_download_is_asked_for_once_and_then_cached(server, published, tmp_path: Path):
    steps = []
    found = find_weights(published, download=True, progress=lambda *step: steps.append(step))
    assert found == (tmp_path / "cache" / "weights" / "tiny-weights.pth", SHA)
    assert found.path.read_bytes() == CONTENT and kept(tmp_path) == ["tiny-weights.pth"]
    what, done, total = steps[-1]
    assert "tiny-weights.pth" in what and done == total == len(CONTENT) and len(steps) > 1
    assert find_weights(published) == find_weights(published, download=True) == found
    assert server.RequestHandlerClass.asked == ["/whole"]


def test_nothing_is_downloaded_unasked(server, published, tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        find_weights(published)
    for word in ("tiny-weights.pth", published.url, "SFUMATO_TEST_WEIGHTS", str(tmp_path / "cache"), "allow"):
        assert word in str(caught.value)
    assert server.RequestHandlerClass.asked == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/other", "brought another file"),
        ("/cut", "ended after 70,000 of 1,536,000 bytes"),
        ("/absent", "Not Found"),
    ],
)
def test_a_download_that_goes_wrong_leaves_nothing(published, tmp_path: Path, path, message):
    with pytest.raises(SfumatoError, match=message) as caught:
        find_weights(at(published, path), download=True)
    assert "SFUMATO_TEST_WEIGHTS" in str(caught.value) and kept(tmp_path) == []


def test_a_refused_connection(published, server, tmp_path: Path):
    server.shutdown()
    server.server_close()
    with pytest.raises(SfumatoError, match="cannot be downloaded.*refused"):
        find_weights(published, download=True)
    assert kept(tmp_path) == []


def test_a_damaged_cache_is_named_and_repaired(published):
    path = find_weights(published, download=True).path
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(SfumatoError, match="damaged.*delete it"):
        find_weights(published)
    assert find_weights(published, download=True).path.read_bytes() == CONTENT


def test_a_path_goes_before_the_variable_before_the_cache(published, tmp_path: Path, monkeypatch):
    find_weights(published, download=True)
    mine, yours = tmp_path / "mine.pth", tmp_path / "yours.pth"
    mine.write_bytes(b"mine")
    yours.write_bytes(b"yours")
    monkeypatch.setenv("SFUMATO_TEST_WEIGHTS", str(yours))
    assert find_weights(published).path == yours
    assert find_weights(published, mine) == (mine, hashlib.sha256(b"mine").hexdigest())
    monkeypatch.setenv("SFUMATO_TEST_WEIGHTS", str(tmp_path / "gone.pth"))
    with pytest.raises(UsageError, match=r"SFUMATO_TEST_WEIGHTS = .*gone\.pth.*no such file"):
        find_weights(published)
    with pytest.raises(UsageError, match=r"weights = .*absent\.pth"):
        find_weights(published, tmp_path / "absent.pth")


def test_only_published_weights_bear_the_plain_name(published, tmp_path: Path):
    assert backbone_name("tiny-clean", published, Weights(tmp_path, SHA)) == "tiny-clean"
    assert backbone_name("tiny", published, Weights(tmp_path, "0123456789abcdef")) == "tiny:01234567"


def test_tensors_come_back_as_they_were(tmp_path: Path):
    state = {"a.weight": torch.randn(3, 2), "b": torch.tensor(7)}
    torch.save(state, tmp_path / "state.pth")
    read = load_state(Weights(tmp_path / "state.pth", ""))
    assert list(read) == list(state) and all(torch.equal(read[key], state[key]) for key in state)
