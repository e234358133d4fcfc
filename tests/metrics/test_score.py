from __future__ import annotations

from typing import Any

import pytest

from sfumato.errors import UsageError
from sfumato.metrics.score import Protocol, Score, comparable


def score(protocol: dict[str, Any] | None = None, **changes: Any) -> Score:
    values: dict[str, Any] = {
        "metric": "FD[domain]",
        "value": 1.0,
        "interval": None,
        "n_real": 500,
        "n_generated": 500,
        "higher_is_better": False,
        "protocol": Protocol(backbone="domain").model_copy(update=protocol or {}),
    }
    return Score(**(values | changes))


def test_one_ruler_is_passed_whatever_was_measured() -> None:
    comparable([])
    comparable([score(), score({"seed": 5, "sampling": "heun, 12 steps"}, value=2.0)])


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (score({"weights_sha256": "ab12"}), "weights_sha256 is '' for one and 'ab12' for another"),
        (score({"reference_sha256": "cd"}), "reference_sha256"),
        (score({"resize": "clean"}), "resize"),
        (score(n_generated=400), "n_generated is '500' for one and '400' for another"),
        (score(metric="FID"), "metric is"),
    ],
)
def test_unlike_rulers_are_refused_by_name(other: Score, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        comparable([score(), score(), other])
