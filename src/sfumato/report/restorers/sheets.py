"""The tables of a contest of restorers as CSV."""

from __future__ import annotations

from statistics import fmean

from sfumato.comparison.restorers.records import RestorationContest
from sfumato.report.sheet import columns, table


def leaderboard_sheet(contest: RestorationContest) -> str:
    """Return a row per restorer: every score with its interval and protocol, every gap, every cost."""
    rows = []
    for one in contest.contestants:
        row: dict[str, object] = {
            "name": one.name,
            "kind": "model" if one.learned else "filter",
            "about": one.summary,
        }
        for name, score in one.scores.items():
            row |= dict(columns(name, score))
        for name, gap in one.gaps.items():
            low, high = gap.interval or ("", "")
            row |= {f"{name}_behind": gap.value, f"{name}_behind_low": low, f"{name}_behind_high": high}
        row["milliseconds"] = one.milliseconds
        if one.training:
            row |= one.training.model_dump(exclude={"losses", "quality"})
        rows.append(row)
    return table(rows)


def damage_sheet(contest: RestorationContest) -> str:
    """Return a row per restorer, kind of damage and severity."""
    about = {damage.kind: damage.severities for damage in contest.pairs.damages}
    return table(
        {
            "damage": found.damage, "severity": found.severity, "about": about[found.damage][found.severity],
            "name": one.name, "pairs": len(found.values["psnr_luma"]),
            **{name: fmean(values) for name, values in found.values.items()},
        }
        for one in contest.contestants
        for found in one.alone
    )  # fmt: skip


def pair_sheet(contest: RestorationContest) -> str:
    """Return a row per restorer and mixed pair, so that anybody can hold two against each other."""
    return table(
        {"pair": row, "name": one.name, **{name: values[row] for name, values in one.values.items()}}
        for one in contest.contestants
        for row in range(contest.pairs.mixed)
    )
