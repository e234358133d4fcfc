"""Where the studio listens: light, so that what cannot be is said before anything heavy is loaded."""

from __future__ import annotations

import ipaddress
import socket

from sfumato.errors import UsageError


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host to listen on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket at a host and a port.

    Raises:
        UsageError: If the host is no address of this machine, or the port is taken.
    """
    if not 0 <= port < 2**16:
        raise UsageError(f"--port {port}: choose 0 (any that is free) to {2**16 - 1}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise UsageError(
            f"the studio cannot listen on {host}, port {port} ({error.strerror or error}); choose another "
            "--port, or another --host."
        ) from None
    return bound


def greeting(bound: socket.socket, password: str) -> str:
    """Say where the studio is, and what is not safe about it."""
    host, port = bound.getsockname()[:2]
    anywhere = host in ("0.0.0.0", "::")
    name = "127.0.0.1" if anywhere else f"[{host}]" if ":" in host else host
    text = f"the studio is at http://{name}:{port}/ ; stop it with Ctrl-C."
    if not is_loopback(host) and not password:
        text += (
            " Everybody who can reach this machine can use it, and delete runs: give it a --password. "
            "It travels unencrypted; beyond a network that you trust, use an SSH tunnel."
        )
    return text
