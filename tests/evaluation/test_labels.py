from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.batch import Column, Condition, DataSpec
from sfumato.evaluation.labels import MOST_CATEGORIES, labels

SPEC = DataSpec(
    name="x", height=16, width=16, channels=3,
    columns=(
        Column(name="hat", kind="binary"),
        Column(name="age", kind="number", mean=40, std=10),
        Column(name="class", kind="category", categories=("boot", "bag")),
    ),
)  # fmt: skip


def test_what_can_be_asked_for():
    assert [label.title for label in labels(SPEC)] == [
        "hat", "age: below 35.7", "age: 35.7 to 44.3", "age: above 44.3", "class: boot", "class: bag",
    ]  # fmt: skip
    many = Column(name="c", kind="category", categories=tuple(map(str, range(40))))
    assert len(list(labels(SPEC.model_copy(update={"columns": (many,)})))) == MOST_CATEGORIES
    assert len(list(labels(SPEC.model_copy(update={"columns": (many,)}), most=None))) == 40


def test_right_counts_only_who_was_asked():
    hat, *_, boot, bag = labels(SPEC)
    asked = Condition(
        torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]]),
        torch.tensor([[1.0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]]),
    )
    seen = np.array([[2.0, 0, 3, 1], [1.0, 0, 0, 1], [9.0, 0, 9, 9], [-1.0, 0, 0, 2]], np.float32)
    assert hat.right(seen, asked).tolist() == [True, False, False]
    assert boot.right(seen, asked).tolist() == [True, False]
    assert bag.right(seen, asked).tolist() == [True]


def test_imposing_a_label_leaves_the_others():
    hat, *_, boot, bag = labels(SPEC)
    base = Condition(torch.tensor([[0.0, 0.5, 1, 0]]), torch.tensor([[0.0, 1, 1, 1]]))
    assert bag.imposed(base).values.tolist() == [[0.0, 0.5, 0, 1]]
    assert hat.imposed(base).values.tolist() == [[1.0, 0.5, 1, 0]]
    assert hat.imposed(base).known.tolist() == [[1.0, 1, 1, 1]]
    assert base.values.tolist() == [[0.0, 0.5, 1, 0]], "the original is left alone"


def test_bands_of_a_number():
    _, young, middle, old, *_ = labels(SPEC)
    values = torch.zeros(4, 4)
    values[:, 1] = torch.tensor([-2.0, 0.1, 1.0, 1.0])
    known = torch.ones(4, 4)
    known[3] = 0
    seen = np.zeros((4, 4), np.float32)
    seen[:, 1] = [-0.5, 0.9, 0.5, 9.0]
    asked = Condition(values, known)
    assert young.right(seen, asked).tolist() == [True]
    assert middle.right(seen, asked).tolist() == [False]
    assert old.right(seen, asked).tolist() == [True]
    assert [label.imposed(asked).values[0, 1] for label in (young, middle, old)] == pytest.approx(
        [-1.1, 0, 1.1]
    )
