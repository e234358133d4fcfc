"""Files that the page shows or hands out, while it needs them."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import deque
from pathlib import Path

KEPT = 64
"""Folders that stay; the page is given its own copies as soon as an event has been answered."""


class Scratch:
    """Hands out empty folders where Gradio keeps its own files, and removes the oldest."""

    def __init__(self) -> None:
        self._folders: deque[Path] = deque()
        self._lock = threading.Lock()

    def folder(self) -> Path:
        """Return an empty folder."""
        made = Path(tempfile.mkdtemp(prefix="shown-", dir=os.environ.get("GRADIO_TEMP_DIR")))
        with self._lock:
            self._folders.append(made)
            old = self._folders.popleft() if len(self._folders) > KEPT else None
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
        return made
