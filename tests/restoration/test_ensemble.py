"""Eight views of a picture, one answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sfumato import api
from sfumato.errors import UsageError
from sfumato.restoration.ensemble import self_ensemble
from sfumato.restoration.plan import Settings, tools_of
from sfumato.restoration.upscale import Trained
from sfumato.runs import find


def symmetries(image: torch.Tensor):
    for view in (image, image.flip(3)):
        for quarters in range(4):
            yield torch.rot90(view, quarters, (2, 3))


def test_each_answer_is_turned_back():
    image = torch.rand(1, 2, 5, 8)
    assert torch.allclose(self_ensemble(lambda view: view)(image), image)
    large = lambda view: F.interpolate(view, scale_factor=2, mode="nearest")  # noqa: E731
    assert torch.allclose(self_ensemble(large)(image), large(image)), "a scale too"


def test_it_sees_all_eight_views_once():
    image, seen = torch.rand(1, 1, 4, 6), []
    self_ensemble(lambda view: seen.append(view) or view)(image)
    assert len(seen) == 8
    for expected in symmetries(image):
        assert sum(view.shape == expected.shape and torch.equal(view, expected) for view in seen) == 1


def test_a_one_sided_blur_becomes_even():
    """A kernel that leans to the right becomes the mean of its eight turns."""
    kernel = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 0.0]])[None, None]
    point = torch.zeros(1, 1, 7, 7)
    point[..., 3, 3] = 1
    made = self_ensemble(lambda view: F.conv2d(view, kernel, padding=1))(point)
    cross = torch.tensor([[0.0, 0.125, 0.0], [0.125, 0.5, 0.125], [0.0, 0.125, 0.0]])
    assert torch.allclose(made[0, 0, 2:5, 2:5], cross) and float(made.sum()) == pytest.approx(1)


def test_it_makes_a_network_better(draw, noisy):
    """The shipped denoiser and upscaler, each on a picture that it has not seen."""
    truth = draw(3, 96, 80)
    hurt = noisy(truth, 25)
    error = {}
    for asked in (False, True):
        tools = tools_of(Settings(method="example:denoiser", self_ensemble=asked))
        error[asked] = np.square(tools["denoise"].brightness(hurt) - truth).mean()  # type: ignore[union-attr]
    assert error[True] < error[False]
    small = truth.reshape(48, 2, 40, 2).mean(axis=(1, 3))[..., None].astype(np.float32)
    run = find("example:upscaler")
    made = {asked: Trained(run, 2, ensemble=asked).apply(small) for asked in (False, True)}
    assert 0 < np.abs(made[True] - made[False]).max() < 0.2
    assert made[True].shape == (96, 80, 1)
    turned = Trained(run, 2, ensemble=True).apply(np.rot90(small))
    np.testing.assert_allclose(np.rot90(turned, -1), made[True], atol=1e-4)


def test_only_networks_do_it():
    for method in ("nlm", "classical"):
        with pytest.raises(UsageError, match=f"--self-ensemble with --method {method}"):
            tools_of(Settings(method=method, self_ensemble=True))
    with pytest.raises(UsageError, match="--self-ensemble with --method lanczos"):
        api.upscale("photo.png", method="lanczos", self_ensemble=True)
