"""The server: binds to this machine, serves a page per language, the runs' pictures, and nothing else."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from sfumato.studio import pictures
from sfumato.studio.app import page
from sfumato.studio.binding import greeting
from sfumato.studio.front import Front, path_of
from sfumato.studio.guard import Guard
from sfumato.studio.theme import theme
from sfumato.studio.words import FIRST, LANGUAGES, Words

WAITING = 64
"""Requests that may stand in line; more are told to come back."""
UPLOAD = "256mb"
"""Largest file that a visitor may hand in."""
KEPT_SECONDS = 3600
"""How long pictures made for the page are kept."""


def application(runs: Path, folders: tuple[Path, ...], host: str, password: str = "") -> Guard:
    """Return the studio as an ASGI application.

    Args:
        runs: The folder of runs.
        folders: Folders of images that visitors may use.
        host: Where it will listen, which decides the names that it answers to.
        password: What a visitor must know; empty: nothing.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/pictures/{run}/{file}")
    def picture(run: str, file: str) -> FileResponse:
        found = pictures.find(runs, run, file)
        if found is None:
            raise HTTPException(404)
        return FileResponse(found, media_type="image/png")

    for language in sorted(LANGUAGES, key=lambda code: code == FIRST):  # the root would catch the others
        app = _mount(app, page(runs, folders, Words(language)), path_of(language))
    return Guard(Front(app), host, password)


def _mount(app: FastAPI, blocks: gr.Blocks, path: str) -> FastAPI:
    """Put a page at its path."""
    blocks.queue(max_size=WAITING)
    blocks.delete_cache = (KEPT_SECONDS // 4, KEPT_SECONDS)
    return gr.mount_gradio_app(
        app, blocks, path=path.rstrip("/") or "/", theme=theme(), footer_links=[], run_history=False,
        max_file_size=UPLOAD, show_error=False, ssr_mode=False, mcp_server=False, pwa=False,
    )  # fmt: skip


def listen(
    runs: Path,
    folders: tuple[Path, ...],
    host: str,
    bound: socket.socket,
    password: str,
    announce: Callable[[str], None],
) -> None:
    """Serve the studio at a socket until it is interrupted; see `sfumato.studio.serve`."""
    with tempfile.TemporaryDirectory(prefix="sfumato-studio-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # readable by this user alone, and gone afterwards
        app = application(runs.resolve(), tuple(map(Path.resolve, folders)), host, password)
        config = uvicorn.Config(app, log_level="warning", server_header=False)
        _Server(config, lambda: announce(greeting(bound, password))).run(sockets=[bound])


class _Server(uvicorn.Server):
    """Says when the page is usable."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.ready()
