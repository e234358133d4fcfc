"""The studio's own HTML: templates in which every fact is text, never markup."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent


def fill(template: str, facts: dict[str, Any]) -> Markup:
    """Return a template of `templates/`, filled in."""
    return Markup(_environment().get_template(template).render(facts))


def read(name: str) -> str:
    """Return one of the studio's own files, such as its style."""
    return (FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    """Return Jinja2 with escaping on for every template: names and notes come from people."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
