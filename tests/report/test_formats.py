"""Numbers as people write them."""

from __future__ import annotations

import pytest

from sfumato.report import formats

from .sample import score


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (12.34, "12.3"),
        (0.8434, "0.843"),
        (1204.4, "1,204"),
        (-0.00012, "\u22120.000120"),
        (-1e-12, "0.000000"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), (2.5, "2.5"), (999, "999"), (999_999, "1.00 M"), (1_942_019, "1.94 M"), (1.31e9, "1.31 G")],
)
def test_amount(value: float, text: str) -> None:
    assert formats.amount(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0041, "4.10 ms"),
        (0.34, "340 ms"),
        (0.9996, "1.0 s"),
        (12.52, "12.5 s"),
        (75.4, "75 s"),
        (119.6, "2 min"),
        (1200, "20 min"),
        (200, "3 min 20 s"),
        (3900, "1 h 05 min"),
        (7200, "2 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0%"), (0.004, "0.4%"), (0.05, "5%"), (0.914, "91%"), (0.998, "99.8%"), (1, "100%")],
)
def test_percent(value: float, text: str) -> None:
    assert formats.percent(value) == text


def test_estimate_shares_its_decimals_with_its_interval() -> None:
    assert formats.estimate(score("FD", 12.3, 0.5)) == ("12.3", "[11.8, 12.9]")
    assert formats.estimate(score("FD", 9.0, 2.0)) == ("9.0", "[7.0, 11.2]")
    assert formats.estimate(score("FD", 9.0)) == ("9.00", "")
    assert formats.estimate(score("copies", 0.004, 0.003), True) == ("0.4%", "[0.1, 0.7]")
    none = score("recall", 0.0).model_copy(update={"interval": (0.0, 0.00764)})
    assert formats.estimate(none) == ("0", "[0, 0.00764]")


def test_memory() -> None:
    assert formats.memory(640) == "640 MiB"
    assert formats.memory(1454) == "1.42 GiB"
