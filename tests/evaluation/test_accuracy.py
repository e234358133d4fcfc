"""The classification accuracy score: what it refuses before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from sfumato.api import accuracy
from sfumato.api.data import silent
from sfumato.batch import Column
from sfumato.errors import UsageError
from sfumato.evaluation.labels import MOST_CATEGORIES

CPU = torch.device("cpu")


def test_held_out_images_without_labels_are_refused_before_training(small):
    known = small.known.copy()
    known[small.test] = 0
    nobody = cast(Any, None)  # nothing is drawn
    with pytest.raises(UsageError, match=f"none of the {len(small.test)} held-out images"):
        accuracy.classification_accuracy(nobody, replace(small, known=known), CPU, silent)
    with pytest.raises(UsageError, match="has no labels"):
        bare = replace(small, spec=small.spec.model_copy(update={"columns": ()}))
        accuracy.classification_accuracy(nobody, bare, CPU, silent)
    assert np.any(small.known[small.test])


def test_every_class_counts(small, monkeypatch):
    """Also those beyond the ones that have a picture each."""
    classes = np.arange(len(small.images)) % 20
    column = Column(name="class", kind="category", categories=tuple(map(str, range(20))))
    many = replace(
        small, spec=small.spec.model_copy(update={"columns": (column,)}),
        values=np.eye(20, dtype=np.float32)[classes], known=np.ones((len(classes), 20), np.float32),
    )  # fmt: skip
    answers = np.eye(20)[np.where(classes < MOST_CATEGORIES, classes, 0)][many.test]
    ruler = SimpleNamespace(predictions=lambda images: answers)

    def trained(run, *given, **options):
        run.write_status(run.status.model_copy(update={"state": "finished"}))

    monkeypatch.setattr(accuracy, "train_run", trained)
    monkeypatch.setattr(accuracy, "load_ruler", lambda *given: ruler)
    there = len(np.unique(classes[many.test]))
    assert there > MOST_CATEGORIES, "held-out images show the last classes too"
    right = len(np.unique(classes[many.test][classes[many.test] < MOST_CATEGORIES]))
    condition = many.condition(np.arange(len(classes)))
    found = accuracy._accuracy(np.asarray(many.images), condition, many, 0, CPU, silent)
    assert found == pytest.approx(right / there)
