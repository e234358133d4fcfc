"""The door: what is refused before anything else looks at it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from .conftest import EVIL, Studio

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "192.168.0.7", "", "[::", "0.0.0.0"],
)
def test_a_forged_host_is_refused(studio: Studio, host: str):
    status, body = studio.ask("/config", Host=host)
    assert status == 421 and b"does not answer under this name" in body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:7860", "LOCALHOST:7860", "127.0.0.2"])
def test_the_names_of_this_machine_are_good(studio: Studio, host: str):
    assert studio.ask("/config", Host=host)[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_other_sites_cannot_ask_for_anything(studio: Studio, origin: str):
    status, _ = studio.ask("/gradio_api/call/runs", "POST", '{"data": []}', Origin=origin)
    assert status == 403


@pytest.mark.parametrize(
    "path",
    ["/monitoring", "/gradio_api/proxy=http://example.com", "/gradio_api/run/runs", "/gradio_api/vibe-edit",
     "/docs", "/openapi.json", "/gradio_api/runs", "/gradio_api/deep_link", "/de/", "/gradio_api/token"],
)  # fmt: skip
def test_what_the_page_does_not_need_is_closed(studio: Studio, path: str):
    assert studio.ask(path)[0] == 404


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "/etc/passwd", "..%2fsecret.txt", "first/..%2f..%2fsecret.txt",
     "first/../../secret.txt", "..\\secret.txt", "%2e%2e/secret.txt", "first/recipe.yaml",
     "first/000000064.png/../../recipe.yaml", "nobody/000000064.png", "first/64.txt"],
)  # fmt: skip
def test_only_pictures_of_runs_are_served(studio: Studio, runs: Path, path: str):
    status, body = studio.ask(f"/pictures/{path}")
    assert status == 404 and b"secret" not in body
    newest = max((runs / "first" / "samples").iterdir()).name
    for name in ("first", EVIL):
        status, body = studio.ask(f"/pictures/{quote(name, safe='')}/{newest}")
        assert status == 200 and body == (runs / "first" / "samples" / newest).read_bytes()


@pytest.mark.parametrize("place", ["secret.txt", "runs/first/recipe.yaml", "runs/first/checkpoints"])
def test_gradio_serves_no_file_of_ours(studio: Studio, runs: Path, place: str):
    for path in (f"{runs.parent / place}", f"{runs}/../{place}", f"file://{runs.parent / place}"):
        status, body = studio.ask(f"/gradio_api/file={quote(path)}")
        assert status >= 400 and b"beside the runs" not in body and b"preset" not in body


def test_a_password_is_asked_for_everywhere(gradio: None):
    from starlette.responses import PlainTextResponse
    from starlette.testclient import TestClient

    from sfumato.studio.guard import Guard

    door = TestClient(Guard(PlainTextResponse("in"), "127.0.0.1", "grün: und blau"), "http://127.0.0.1")

    def knocks(password: str) -> int:
        code = base64.b64encode(f"anybody:{password}".encode()).decode()
        return door.get("/config", headers={"Authorization": f"Basic {code}"}).status_code

    for path in ("/", "/config", "/pictures/first/1.png", "/gradio_api/info", "/assets/x.js"):
        assert door.get(path).status_code == 401
    assert door.get("/config", headers={"Authorization": "Basic !!"}).status_code == 401
    assert [knocks(word) for word in ("", "grün", "grün: und blau")] == [401, 401, 200]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_studio_for_this_machine_answers_to_no_address_of_the_network(gradio: None, host: str):
    from sfumato.studio.guard import Guard

    alone, open_to_all = Guard(None, host), Guard(None, "0.0.0.0")
    assert not alone._ours("192.168.0.7:7860") and open_to_all._ours("192.168.0.7:7860")
    assert alone._ours("localhost:7860") and not open_to_all._ours("evil.example")


def test_the_browser_is_told_to_load_from_here_alone(studio: Studio):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=60)
    connection.request("GET", "/?tab=home")
    answer = connection.getresponse()
    policy = answer.getheader("Content-Security-Policy") or ""
    page = answer.read().decode()
    connection.close()
    assert "default-src 'self'" in policy and "http" not in policy and "frame-ancestors 'none'" in policy
    assert "og:image" not in page and re.findall(r"<[^>]+(?:src|href|content)=.https?:", page) == []
    assert page.count('document.documentElement.lang = "en"') == 1
