from __future__ import annotations

import math

import pytest
import torch

from sfumato.batch import DataSpec
from sfumato.models.vae import VAE, VAEConfig, recipe

DATA = DataSpec(name="x", height=16, width=16, channels=3)


def test_the_likelihoods_scale_keeps_up_with_the_error():
    model = VAE(VAEConfig(width=8, latent=4), DATA)
    pixels, error = math.prod(DATA.shape), 0.1
    optimizer = torch.optim.Adam([model.log_sigma], lr=recipe().training.optimizers["autoencoder"].lr)
    for _ in range(200):  # 6,400 images in batches of 32
        optimizer.zero_grad()
        (model._error(torch.tensor(pixels * error**2)) / pixels).backward()
        optimizer.step()
    # the scale that makes squared errors of 0.1 likeliest is 0.1 (Rybkin et al. 2020, Eq. 6)
    assert model._sigma().item() == pytest.approx(error, rel=0.05)
