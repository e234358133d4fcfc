from __future__ import annotations

import numpy as np
import pytest

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.inception_score import inception_interval, inception_score


def test_sure_and_varied_scores_the_number_of_classes() -> None:
    mean, std = inception_score(1000 * np.eye(10)[np.arange(500) % 10])
    assert (mean, std) == (pytest.approx(10), pytest.approx(0, abs=1e-9))


def test_unsure_or_collapsed_scores_one() -> None:
    assert inception_score(np.zeros((100, 10)))[0] == pytest.approx(1)
    assert inception_score(1000 * np.eye(10)[np.zeros(100, dtype=int)])[0] == pytest.approx(1)


def test_bad_input_is_refused() -> None:
    with pytest.raises(UsageError, match="splits = 10"):
        inception_score(np.zeros((9, 3)))
    with pytest.raises(SfumatoError, match="logits: 9 of 9 rows"):
        inception_score(np.full((9, 3), np.inf), splits=1)


def test_the_interval_holds_the_mean_of_all_draws() -> None:
    random = np.random.default_rng(0)
    scores = [inception_score(2 * random.standard_normal((500, 5))) for _ in range(60)]
    target = np.mean([mean for mean, _ in scores])
    intervals = [inception_interval(mean, std) for mean, std in scores]
    assert np.mean([low <= target <= high for low, high in intervals]) >= 0.88
    width = np.mean([high - low for low, high in intervals])
    assert width < 2 * 2 * 1.96 * np.std([mean for mean, _ in scores], ddof=1)
