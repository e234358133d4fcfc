"""What the studio says, in every language that it speaks.

`catalogue/TAB.yaml` holds the sentences of a tab: a key, and under it one text for each language.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CATALOGUE = Path(__file__).parent / "catalogue"
LANGUAGES = {"en": "English", "fr": "Français"}
"""Code to the language's own name; the first is spoken where nobody asked for another."""
FIRST = next(iter(LANGUAGES))
THOUSANDS = {"en": ",", "fr": "\u202f"}
"""What stands between the thousands of a number."""
POINT = {"en": ".", "fr": ","}
"""What stands before a number's fraction."""
APART = {"en": ", ", "fr": " ; "}
"""What stands between two numbers."""
PERCENT = {"en": "%", "fr": "\u202f%"}


@dataclass(frozen=True)
class Words:
    """The sentences of one language: `say("home.title")`."""

    language: str

    def __call__(self, key: str, /, **facts: Any) -> str:
        """Return a sentence with its {facts} filled in; whole numbers are written as the language does.

        Args:
            key: `TAB.KEY`, as in the catalogue.
            facts: What stands in braces there.

        Raises:
            KeyError: If the catalogue has no such sentence.
        """
        text = catalogue()[key][self.language]
        return text.format(**{name: self._written(value) for name, value in facts.items()})

    def word(self, key: str, english: str) -> str:
        """Return what the API says in English, such as a unit, in this language.

        Args:
            key: `TAB.KEY`: the catalogue has it as `TAB.KEY_gray_levels`.
            english: For example `gray levels`; what the catalogue does not have is returned as it is.
        """
        texts = catalogue().get(f"{key}_{english.replace(' ', '_')}")
        return texts[self.language] if texts else english

    def number(self, value: int) -> str:
        """Write a whole number."""
        return f"{value:,}".replace(",", THOUSANDS[self.language])

    def decimal(self, value: float, digits: int = 1) -> str:
        """Write a number with a fraction."""
        return self.figures(f"{value:.{digits}f}")

    def figures(self, text: str) -> str:
        """Write English figures, such as 12.3, 91% or [1,180.5, 1,229], as the language does."""
        signs = str.maketrans({",": THOUSANDS[self.language], ".": POINT[self.language]})
        text = text.replace("%", PERCENT[self.language])
        parts = (re.sub(r"\d[\d,.]*", lambda hit: hit[0].translate(signs), part) for part in text.split(", "))
        return APART[self.language].join(parts)

    def time(self, seconds: float) -> str:
        """Write a duration: 0.3 s, 45 s, 3 min 20 s, 2 h 5 min."""
        whole = round(seconds)
        if 0 < seconds < 10:
            return f"{self.decimal(seconds)} s"
        if whole < 60:
            return f"{whole} s"
        if whole < 3600:
            return f"{whole // 60} min {whole % 60} s"
        return f"{self.number(whole // 3600)} h {whole % 3600 // 60} min"

    def _written(self, value: Any) -> Any:
        return self.number(value) if isinstance(value, int) and not isinstance(value, bool) else value


@functools.cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every sentence as `TAB.KEY` to language to text."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(CATALOGUE.glob("*.yaml")):
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
        found.update({f"{file.stem}.{key}": texts for key, texts in entries.items()})
    return found
