"""Numbers as people write them."""

from __future__ import annotations

import math

from sfumato.metrics.score import Score

MINUS = "\N{MINUS SIGN}"
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def fixed(value: float, decimals: int) -> str:
    """Write a number with a fixed count of decimals, thousands apart, and a true minus sign."""
    text = f"{value:,.{decimals}f}"
    return text.replace("-", MINUS) if float(text.replace(",", "")) else text.removeprefix("-")


def decimals_for(value: float, significant: int = 3) -> int:
    """Return how many decimals show `significant` digits of a number, at most 6."""
    if value == 0 or not math.isfinite(value):
        return 2
    rounded = float(f"{abs(value):.{significant - 1}e}")  # 0.9996 is written as 1.00, not as 1.000
    return min(max(significant - 1 - math.floor(math.log10(rounded)), 0), 6)


def number(value: float) -> str:
    """Write a number with three significant digits: 0.843, 12.3, 1,204."""
    return fixed(value, decimals_for(value))


def amount(value: float) -> str:
    """Write a large count: 940, 1.9 M, 23.4 G."""
    for size, prefix in PREFIXES:
        # The threshold stands where three digits would round up to the next prefix.
        if abs(value) >= size * 0.9995:
            return f"{number(value / size)} {prefix}"
    return fixed(value, 0 if abs(value) >= 10 or float(value).is_integer() else 1)


def whole(value: float) -> str:
    """Write a count in full: 60,000."""
    return fixed(value, 0)


def duration(seconds: float) -> str:
    """Write a time: 4.1 ms, 340 ms, 12.5 s, 75 s, 3 min 20 s, 20 min, 1 h 05 min."""
    if seconds < 0.9995:
        return f"{number(seconds * 1000)} ms"
    if seconds < 119.5:
        return f"{fixed(seconds, 0 if seconds >= 30 else 1)} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min" if minutes else f"{hours:,} h"


def memory(mebibytes: float) -> str:
    """Write an amount of memory: 640 MiB, 1.42 GiB."""
    if mebibytes >= 1024:
        return f"{number(mebibytes / 1024)} GiB"
    return f"{fixed(mebibytes, 0)} MiB"


def percent(value: float) -> str:
    """Write a fraction as per cent: 91%, 0.4%, 0%."""
    scaled = 100 * value
    near_an_end = abs(scaled) < 9.95 or 99 < scaled < 100  # where a tenth matters: 0.4% is not none
    return f"{fixed(scaled, 1 if near_an_end and not math.isclose(scaled, round(scaled)) else 0)}%"


def estimate(score: Score, as_percent: bool = False) -> tuple[str, str]:
    """Write a score and its interval with the same decimals.

    Returns:
        ("12.3", "[11.8, 12.9]"); the second is empty where there is no interval.
    """
    ends = score.interval or ()
    if as_percent:
        texts = [percent(end).removesuffix("%") for end in ends]
        return percent(score.value), f"[{', '.join(texts)}]" if texts else ""
    places = decimals_for(max((abs(v) for v in (score.value, *ends)), default=0.0))
    text, *texts = [fixed(value, places) if value else "0" for value in (score.value, *ends)]
    return text, f"[{', '.join(texts)}]" if texts else ""


def counts(score: Score) -> str:
    """Write what a score rests on: `400 pairs`, `1,000 generated, 1,000 real`."""
    if score.protocol.backbone == "pixels":
        return f"{whole(score.n_generated)} pairs"
    return f"{whole(score.n_generated)} generated, {whole(score.n_real)} real"
