"""Every sentence in both languages, and none anywhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from sfumato.studio.words import LANGUAGES, Words, catalogue

STUDIO = Path(__file__).parents[2] / "src/sfumato/studio"


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_every_sentence_is_in_every_language(key: str):
    texts = catalogue()[key]
    assert list(texts) == list(LANGUAGES), "one text for each language, in their order"
    assert all(isinstance(text, str) and text.strip() == text and text for text in texts.values())
    assert len({frozenset(facts(text)) for text in texts.values()}) == 1, "the same facts in each"


def test_every_key_that_is_asked_for_is_there():
    sources = [*STUDIO.rglob("*.py"), *(STUDIO / "templates").glob("*.j2")]
    asked = {
        key for path in sources for key in re.findall(r'say\(\s*"([a-z0-9_.]+)"', path.read_text("utf-8"))
    }
    beginnings = {key for key in asked if key.endswith("_")}  # the rest is a fact, such as a tab's name
    assert asked - beginnings <= set(catalogue()), asked - beginnings - set(catalogue())
    assert all(any(key.startswith(part) for key in catalogue()) for part in beginnings)


@pytest.mark.parametrize("path", sorted((STUDIO / "tabs").glob("*.py")), ids=lambda path: path.stem)
def test_no_tab_says_anything_itself(path: Path):
    tree = ast.parse(path.read_text("utf-8"))
    documentation = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    documentation |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    sentences = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation
        and re.search(r"[^\W\d_]{2,} +[^\W\d_]{2,}", node.value)
    ]  # fmt: skip
    assert sentences == []


@pytest.mark.parametrize("path", sorted((STUDIO / "templates").glob("*.j2")), ids=lambda path: path.name)
def test_no_template_says_anything_itself(path: Path):
    text = re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^<>]*>", " ", path.read_text("utf-8"))
    said = [word for word in re.findall(r"[^\W\d_]{2,}", text) if word not in ("Sfumato", "sfumato")]
    assert [word for word in said if word not in ("train", "data", "portraits", "budget")] == []


def test_numbers_and_durations_are_written_as_the_language_does():
    english, french = Words("en"), Words("fr")
    assert english.number(1234567) == "1,234,567" and french.number(1234567) == "1\u202f234\u202f567"
    assert [english.time(s) for s in (0.4, 59.6, 3599, 7325)] == [
        "0.4 s",
        "1 min 0 s",
        "59 min 59 s",
        "2 h 2 min",
    ]
    assert "1,000 of 2,000" in english("runs.trained", images=1000, total=2000, time="5 s")
