"""What several draws make of one run."""

from __future__ import annotations

from typing import Any, cast

from sfumato.evaluation import evaluate
from sfumato.evaluation.reference import UNTRUSTED, Anchors


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


def test_the_doubt_about_a_blind_ruler_stands_in_its_scores(reference, monkeypatch):
    monkeypatch.setattr(evaluate, "generate", lambda *given: reference.images)
    nobody = cast(Any, None)  # nothing is drawn
    for trusted in (True, False):
        monkeypatch.setattr(Anchors, "trustworthy", lambda self, answer=trusted: answer)
        _, _, scores = evaluate._draw_all(nobody, reference, reference.protocol(), 1, None, nobody)
        assert (UNTRUSTED in scores[0]["kd"].note) != trusted
