"""How far something is, on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr


def watched(progress: gr.Progress) -> Callable[[Mapping[str, Any]], None]:
    """Return an observer that moves the page's progress bar."""

    def observe(event: Mapping[str, Any]) -> None:
        if event["event"] == "progress":
            progress((event["done"], event["total"]), desc=event["what"])

    return observe
