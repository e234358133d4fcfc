"""The classification accuracy score: what it refuses before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch

from sfumato.api import accuracy
from sfumato.api.data import silent
from sfumato.errors import UsageError

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
