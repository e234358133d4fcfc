"""The blind test: fair lots, held-out pictures, the same again by seed, honest marks."""

from __future__ import annotations

import numpy as np
import pytest

from sfumato import api
from sfumato.data.prepare import prepare
from sfumato.errors import UsageError
from sfumato.runs import Run


def held_out(run: Run) -> set[bytes]:
    prepared = prepare(run.source, run.recipe.data)
    return {np.asarray(prepared.images[row]).tobytes() for row in prepared.test}


@pytest.mark.parametrize("pairs", [True, False])
def test_answers_say_which_pictures_are_held_out(vae: Run, pairs: bool):
    test, real = api.quiz(vae, 12, pairs=pairs, seed=3), held_out(vae)
    assert len(test.questions) == 12
    for question in test.questions:
        found = [image.tobytes() in real for image in question.images]
        assert found == ([not question.answer, bool(question.answer)] if pairs else [not question.answer])
        assert all(image.shape == (16, 16, 3) and image.dtype == np.uint8 for image in question.images)
    assert {question.answer for question in test.questions} == {0, 1}
    shown = [image.tobytes() for question in test.questions for image in question.images]
    assert len(set(shown)) == len(shown), "no picture comes twice"


def test_generated_pictures_are_those_of_their_seeds(vae: Run):
    for question in api.quiz(vae, 4, seed=8).questions:
        generated = question.images[1 - question.answer]
        assert np.array_equal(generated, api.sample(vae, 1, question.made["seed"], device="cpu")[0])


def test_a_seed_is_a_test(vae: Run, flow: Run):
    def drawn(seed: int) -> list[tuple[str, int, bytes]]:
        questions = api.quiz([vae, flow], 8, seed=seed, device="cpu").questions
        return [(one.run, one.answer, one.images[0].tobytes()) for one in questions]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert sorted(run for run, _, _ in drawn(1)) == ["flow"] * 4 + ["vae"] * 4


def test_marks_count_for_each_model_apart(vae: Run, flow: Run):
    test = api.quiz([vae, flow], 8, seed=1, device="cpu")
    answers = [one.answer if one.run == "vae" else 1 - one.answer for one in test.questions]
    marks = {mark.run: mark for mark in api.marks(test, answers)}
    assert (marks["vae"].right, marks["vae"].n, marks["vae"].share, marks["vae"].high) == (4, 4, 1.0, 1.0)
    assert (marks["flow"].right, marks["flow"].share, marks["flow"].low) == (0, 0.0, 0.0)
    assert marks["vae"].low == pytest.approx(0.5101, abs=1e-4)  # Wilson by hand: 4 / (4 + 1.96**2)
    assert sum(mark.n for mark in api.marks(test, answers[:3])) == 3
    assert api.marks(test, []) == []


def test_what_cannot_be_tested_is_refused_in_words(vae: Run, train, flow: Run):
    other = train("vae", "other", "data.size=8")
    for arguments, words in [
        (([], 4), "at least one run"),
        ((vae, 0), "0 questions"),
        (([vae, flow], 1), "one per run"),
        ((vae, 150), "were held out"),
        (([vae, other], 4), "did not learn from the same images"),
    ]:
        with pytest.raises(UsageError, match=words):
            api.quiz(*arguments)
    test = api.quiz(vae, 2)
    with pytest.raises(UsageError, match="write 0 or 1"):
        api.marks(test, [0, 2])
    with pytest.raises(UsageError, match="2 questions"):
        api.marks(test, [0, 1, 0])
