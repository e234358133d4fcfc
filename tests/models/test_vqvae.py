from __future__ import annotations

import pytest
import torch

from sfumato.batch import Batch, Clock, Condition, DataSpec
from sfumato.models.vqvae import VQVAE, Codebook, VQVAEConfig
from sfumato.recipe import SamplingConfig
from sfumato.seeding import ImageNoise, StepNoise

DATA = DataSpec(name="x", height=16, width=16, channels=3)


@pytest.fixture
def model() -> VQVAE:
    torch.manual_seed(0)
    found = VQVAE(VQVAEConfig(width=8, words=12, prior_width=32, prior_layers=2), DATA).eval()
    for parameter in found.prior.parameters():  # an opinion of its own, instead of zeros
        torch.nn.init.normal_(parameter, std=0.3)
    return found.requires_grad_(False)


def test_the_codebook_is_a_running_mean():
    book = Codebook(2, 1, memory=0.9)
    book.words.copy_(torch.tensor([[0.0], [10.0]]))
    book.counts.copy_(torch.tensor([4.0, 4.0]))
    z = torch.tensor([[1.0], [3.0], [9.0]])
    assert book(z).tolist() == [0, 0, 1]
    book.follow(z, book(z), torch.zeros(2))
    # (0.9 * 4 * 0 + 0.1 * (1 + 3)) / (0.9 * 4 + 0.1 * 2) and (0.9 * 4 * 10 + 0.1 * 9) / (0.9 * 4 + 0.1)
    torch.testing.assert_close(book.words, torch.tensor([[0.4 / 3.8], [36.9 / 3.7]]))
    torch.testing.assert_close(book.counts, torch.tensor([3.8, 3.7]))


def test_a_word_that_nobody_uses_begins_anew():
    book = Codebook(3, 2, memory=0.5)
    book.words.copy_(torch.tensor([[0.0, 0.0], [99.0, 99.0], [98.0, 98.0]]))
    z = torch.rand(8, 2)
    for _ in range(12):
        book.follow(z, book(z), torch.tensor([0.0, 0.3, 0.9]))
    assert (book.words.abs() < 2).all() and (book.counts > 0).all()


def test_writing_asks_the_same_prior_word_by_word(model: VQVAE):
    quantiles = torch.rand(5, 64, dtype=torch.float64)
    nothing = Condition.unknown(5, 0)
    indices = model.prior.write(quantiles, nothing, 1.0)
    steps = torch.softmax(model.prior(indices, nothing).double(), dim=-1).cumsum(-1)
    again = torch.searchsorted(steps, quantiles[:, :, None])[:, :, 0]
    assert torch.equal(again.clamp(max=11), indices) and len(indices.unique()) > 4


@pytest.mark.parametrize(("progress", "groups"), [(0.39, ["autoencoder", "prior"]), (0.4, ["prior"])])
def test_words_stand_still_after_a_while(progress: float, groups: list[str]):
    model = VQVAE(VQVAEConfig(width=8, words=12, prior_width=32, prior_layers=1), DATA).train()
    before = model.codebook.words.clone()
    noise = StepNoise(0, 0, slice(0, 4), 4, torch.device("cpu"))
    batch = Batch(torch.rand(4, 3, 16, 16) * 2 - 1, Condition.unknown(4, 0))
    losses = list(model.losses(batch, Clock(int(1000 * progress), 1000, 0, noise)))
    assert [loss.group for loss in losses] == groups
    assert torch.equal(before, model.codebook.words) == (groups == ["prior"])


def test_no_word_sees_a_later_one(model: VQVAE):
    indices = torch.randint(12, (1, 64))
    changed = indices.clone()
    changed[0, 9] = (changed[0, 9] + 1) % 12
    first, second = (model.prior(i, Condition.unknown(1, 0)) for i in (indices, changed))
    torch.testing.assert_close(first[:, :10], second[:, :10])
    assert not torch.allclose(first[:, 10:], second[:, 10:])


def test_encoding_finds_the_latents_of_its_own_reconstruction(model: VQVAE):
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    nothing = Condition.unknown(4, 0)
    latents = model.encode(images, nothing)
    expected = model._decoded(model._words(model._indices(images)))
    decoded = model.decode(latents, nothing, SamplingConfig(), ImageNoise(range(4)))
    torch.testing.assert_close(decoded, expected, atol=1e-4, rtol=1e-4)


def test_a_low_temperature_writes_the_likeliest_words(model: VQVAE):
    quantiles = torch.rand(6, 16, dtype=torch.float64)
    cold = model.prior.write(quantiles, Condition.unknown(6, 0), 0.01)
    assert (
        len(cold.unique(dim=0))
        == 1
        < len(model.prior.write(quantiles, Condition.unknown(6, 0), 1.0).unique(dim=0))
    )


def test_the_loss_by_hand_and_its_way_past_the_words(model: VQVAE):
    """van den Oord et al. 2017, Eq. 3: the decoder's slope reaches the encoder as if there were no words."""
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    maps = model.encoder(images).requires_grad_()
    distances = (maps.permute(0, 2, 3, 1)[..., None, :] - model.codebook.words).square().sum(dim=-1)
    nearest = distances.argmin(dim=-1)
    words = model.codebook.words[nearest].permute(0, 3, 1, 2).detach().requires_grad_()
    error = (model._decoded(words) - images).square().mean()
    expected = error + 0.25 * (maps - words.detach()).square().mean()
    model.encoder.forward = lambda x: maps  # type: ignore[method-assign]
    loss, found_error, _, indices = model._reconstruction(images)
    assert torch.equal(indices.view_as(nearest), nearest)
    torch.testing.assert_close((loss, found_error), (expected, error))
    (slope,) = torch.autograd.grad(loss, maps)
    (past,) = torch.autograd.grad(error, words)
    torch.testing.assert_close(slope, past + 0.25 * 2 * (maps - words) / maps.numel(), rtol=1e-3, atol=1e-7)
