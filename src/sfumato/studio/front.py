"""The front page: in the visitor's language, and in the house's style from its first byte on."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse

from sfumato import api
from sfumato.studio import pages
from sfumato.studio.words import FIRST, LANGUAGES

BOASTS = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>')
"""What Gradio tells other sites about itself, with addresses of pictures elsewhere."""


def path_of(language: str) -> str:
    """Return where the page of a language is."""
    return "/" if language == FIRST else f"/{language}/"


PATHS = {path_of(code): code for code in LANGUAGES}


class Front:
    """Sends a visitor who opens the page to the page of their language, and dresses it (ASGI)."""

    def __init__(self, app: Any) -> None:
        self.app = app
        style, script = api.colours() + pages.read("style.css"), pages.read("script.js")
        self.dress = f"<style>\n{style}</style>\n<script>\n{script}</script>".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in PATHS:
            return await self.app(scope, receive, send)
        here, wanted = PATHS[scope["path"]], _wanted(scope)
        if wanted != here:
            query = scope["query_string"].decode("latin-1")
            where = path_of(wanted) + (f"?{query}" if query else "")
            return await RedirectResponse(where, headers={"Vary": "Accept-Language"})(scope, receive, send)
        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        await self._dressed(scope | {"headers": plain}, receive, send, here)

    async def _dressed(self, scope: Any, receive: Any, send: Any, language: str) -> None:
        """Answer with the page, once it is whole and changed."""
        started: Any = None
        parts = []

        async def gather(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = self._dress(b"".join(parts), language)
                MutableHeaders(scope=started)["Content-Length"] = str(len(body))
                await send(started)
                await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, gather)

    def _dress(self, page: bytes, language: str) -> bytes:
        """Return Gradio's page with our language, style and script, and without its advertisements."""
        # Gradio's own words ("Drop a file here") follow what the browser says of itself
        spoken = (
            f'<script>Object.defineProperty(navigator, "language", {{get: () => "{language}"}});'
            f'document.documentElement.lang = "{language}";</script>\n'
        )
        return BOASTS.sub(b"", page).replace(b"</head>", spoken.encode() + self.dress + b"\n</head>", 1)


def _wanted(scope: Any) -> str:
    """Return the language that a request for the page asks for: by its address, else by the browser."""
    here = PATHS[scope["path"]]
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[-1]
    if asked in LANGUAGES:
        return asked
    if here != FIRST:
        return here
    for part in Headers(scope=scope).get("accept-language", "").split(","):
        code = part.partition(";")[0].strip().partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return here
