"""What several draws make of one run."""

from __future__ import annotations

from typing import Any, cast

from sfumato.evaluation import evaluate


def test_what_one_draw_lacks_is_left_out(reference, monkeypatch):
    """C_T is there only where some images lie near the data."""
    whole, each = evaluate.score_features, []

    def lacking(*given, **options):
        found = whole(*given, **options)
        each.append(found if each else found | {"ct": found["kd"]})
        return each[-1]

    monkeypatch.setattr(evaluate, "score_features", lacking)
    monkeypatch.setattr(evaluate, "generate", lambda *given: reference.images)
    nobody = cast(Any, None)  # nothing is drawn
    _, _, scores = evaluate._draw_all(nobody, reference, reference.protocol(), 3, None, nobody)
    assert "ct" in each[0] and [list(one) for one in scores] == [["kd"]] * 3
