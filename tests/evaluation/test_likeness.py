from __future__ import annotations

import numpy as np
import torch

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.conditions import Conditions
from sfumato.config import override
from sfumato.evaluation.likeness import likeness
from sfumato.recipe import lookup
from sfumato.sampling import Sampler


def test_copies_and_noise_are_both_unlike_new_images(small, reference):
    entry = lookup("dcgan")
    recipe = override(entry.recipe(), ["model.width=8"])
    model = entry.model(recipe.model, small.spec)  # it does not encode, so it is not asked anything
    conditions = Conditions(small.condition(small.train))
    sampler = Sampler(model, small.spec, recipe, conditions, torch.device("cpu"))
    copied = np.asarray(small.images[small.train[: reference.n]])
    noise = np.random.default_rng(0).integers(0, 256, copied.shape).astype(np.uint8)
    off = {}
    for name, images in (("copied", copied), ("noise", noise), ("new", reference.images)):
        for metric, score in likeness(sampler, images, reference, reference.protocol()).items():
            assert score.better == f"near {score.ideal:.3g}" and score.protocol.backbone == "pixels"
            off[name, metric] = score.badness(score.value)
    for metric in ("psnr_nearest", "ssim_nearest"):
        assert off["new", metric] == 0 < min(off["copied", metric], off["noise", metric])
