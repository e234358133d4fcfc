"""The studio's own HTML: templates in which every fact is text, never markup."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from sfumato.studio.form import written

FOLDER = Path(__file__).parent


def fill(template: str, facts: dict[str, Any]) -> Markup:
    """Return a template of `templates/`, filled in."""
    return Markup(_environment().get_template(template).render(facts))


def read(name: str) -> str:
    """Return one of the studio's own files, such as its style."""
    return (FOLDER / name).read_text(encoding="utf-8")


def papers(text: str) -> Markup:
    """Return text in which arXiv:1234.56789 leads to the paper."""
    link = r'<a href="https://arxiv.org/abs/\1" target="_blank" rel="noreferrer">arXiv:\1</a>'
    return Markup(re.sub(r"arXiv:(\d{4}\.\d{4,5})", link, str(escape(text))))


@functools.cache
def _environment() -> Environment:
    """Return Jinja2 with escaping on for every template: names and notes come from people."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"papers": papers, "as_written": written}
    return environment
