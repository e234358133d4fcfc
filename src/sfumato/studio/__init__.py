"""The studio: a page in the browser to see, play with, compare and share what models learned.

Importing it is cheap; Gradio and torch are loaded when it is served.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from sfumato.errors import UsageError
from sfumato.studio.binding import bind
from sfumato.studio.missing import require

__all__ = ["serve"]

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported: nothing is sent anywhere
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def serve(
    runs: str | Path = "runs",
    *,
    data: Sequence[str | Path] = (),
    host: str = "127.0.0.1",
    port: int = 7860,
    password: str = "",
    announce: Callable[[str], None] = print,
) -> None:
    """Serve the studio until it is interrupted.

    Args:
        runs: The folder of runs; the studio reads and deletes nothing outside it.
        data: Folders of images that visitors may look at and train on, besides what they hand in.
        host: Where to listen; 127.0.0.1 is this machine alone.
        port: Which port; 0 takes a free one.
        password: What a visitor must know; empty: nothing.
        announce: Told, in a sentence, where the studio is as soon as its page can be used.

    Raises:
        UsageError: If Gradio is not installed, a folder is missing, or the port is taken.

    Example:
        >>> import sfumato.studio
        >>> sfumato.studio.serve("runs", port=8000)  # doctest: +SKIP
    """
    require()
    for folder in data:
        if not Path(folder).is_dir():
            raise UsageError(f"--data {folder}: there is no such folder.")
    with bind(host, port) as bound:
        from sfumato.studio.server import listen

        listen(Path(runs), tuple(map(Path, data)), host, bound, password, announce)
