"""The door: who may ask, under which name, and what the browser is told about it.

A page on another site can make a visitor's browser talk to 127.0.0.1 under a name of its own ("DNS
rebinding"), or post to it blindly. So the Host must be an address or a name of this machine, and a
request that says from which page it comes must come from ours.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
import socket
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

from sfumato.studio.binding import is_loopback

POLICY = "; ".join(
    [
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'self'",
    ]
)
"""What the page may load: nothing from anywhere else. Gradio's own code needs the unsafe ones."""
DOORS = re.compile(
    r"(/[a-z]{2})?(/|/config|/theme\.css|/favicon\.ico|/manifest\.json|/(assets|static|svelte)/.*"
    r"|/gradio_api/(info|startup-events|heartbeat/\w+|upload|upload_progress|cancel|reset/?|theme\.css"
    r"|queue/(join|data)|call/(v2/)?\w+(/\w+)?|file=.*|component_server))|/pictures/[^/]+/[^/]+"
)
"""The addresses that are answered: what the page and scripts need of Gradio, and pictures. All others, such
as its proxy, its monitor and its ways around the queue, are closed."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuses what does not come from a page of this machine, or does not know the password."""

    def __init__(self, app: Any, host: str, password: str = "") -> None:
        self.app, self.host, self.password = app, host.lower(), password
        self.alone = is_loopback(host)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or refuse it (ASGI)."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        refusal = self._refusal(scope["path"], Headers(scope=scope))
        if refusal is not None:
            return await refusal(scope, receive, send)

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, guarded)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        """Return what to answer instead, or None for a request that is welcome."""
        origin = headers.get("origin")
        if not self._ours(headers.get("host", "")):
            return PlainTextResponse("The studio does not answer under this name.", 421)
        if origin is not None and urlsplit(origin).netloc != headers["host"]:
            return PlainTextResponse("The studio answers its own pages only.", 403)
        if self.password and not self._known(headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="Sfumato", charset="UTF-8"'}
            return PlainTextResponse("The studio asks for its password.", 401, challenge)
        if not DOORS.fullmatch(path):
            return PlainTextResponse("There is nothing here.", 404)
        return None

    def _ours(self, host: str) -> bool:
        """Whether a Host header names this machine."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in {"localhost", self.host, socket.gethostname().lower()}:
            return True
        try:
            address = ipaddress.ip_address(name)  # an attacker's page always comes under a name
        except ValueError:
            return False
        return address.is_loopback or not self.alone

    def _known(self, authorization: str) -> bool:
        """Whether somebody knows the password (HTTP Basic; any user name)."""
        kind, _, code = authorization.partition(" ")
        try:
            given = base64.b64decode(code, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
        return kind.lower() == "basic" and hmac.compare_digest(given.encode(), self.password.encode())
