"""Which language a visitor is shown: the one that the address or else the browser asks for."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse

from sfumato.studio.words import LANGUAGES

FIRST = next(iter(LANGUAGES))


def path_of(language: str) -> str:
    """Return where the page of a language is."""
    return "/" if language == FIRST else f"/{language}/"


class Speaking:
    """Sends a visitor who opens the page to the page of his language (ASGI)."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        wanted = _wanted(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if wanted is None or path_of(wanted) == scope["path"]:
            return await self.app(scope, receive, send)
        query = scope["query_string"].decode("latin-1")
        where = path_of(wanted) + (f"?{query}" if query else "")
        await RedirectResponse(where, headers={"Vary": "Accept-Language"})(scope, receive, send)


def _wanted(scope: Any) -> str | None:
    """Return the language that a request for a page asks for; None where it asks for no page or none."""
    if scope["path"] not in {path_of(code) for code in LANGUAGES}:
        return None
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[-1]
    if asked in LANGUAGES:
        return asked
    if scope["path"] != path_of(FIRST):
        return None
    for part in Headers(scope=scope).get("accept-language", "").split(","):
        code = part.partition(";")[0].strip().partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return None
