"""VQ-VAE: an autoencoder whose latents are words of a codebook, and a prior that writes sentences.

van den Oord et al. 2017, arXiv:1711.00937, with a codebook that follows the running means of what it
stands for (App. A.1) and in which words that nobody uses begin anew (Dhariwal et al. 2020, Sec. 3.1,
arXiv:2005.00341). The prior is a small transformer (Esser et al. 2021, arXiv:2012.09841). It learns from
the first step on, so that every snapshot can be sampled, and alone once the words stand still: a prior
cannot follow words that keep moving.

Note: A latent is one Gaussian number per word, and chooses the word at its quantile. So an image is a
function of its latents as in every other model, though not a smooth one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import torch
from jaxtyping import Float, Float64, Int64
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images, PerImage, Scalar
from sfumato.models.base import GenerativeModel, Loss
from sfumato.networks.autoencoder import Residual, decoder, encoder
from sfumato.networks.embedding import ConditionEmbedding
from sfumato.networks.resolution import heavy, working_patch
from sfumato.networks.transformer import CausalTransformer, Memory
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, SamplingConfig, TrainingConfig, register
from sfumato.seeding import ImageNoise

LEVELS = 2


class VQVAEConfig(ModelConfig):
    """Options of the vector-quantised autoencoder and of its prior."""

    width: Annotated[int, Field(ge=8, le=1024, multiple_of=8)] = 32
    """Channels at the highest working resolution; they double at the halving."""
    blocks: Annotated[int, Field(ge=1, le=8)] = 1
    """Residual blocks per resolution."""
    words: Annotated[int, Field(ge=2, le=8192)] = 256
    """Entries of the codebook."""
    dimensions: Annotated[int, Field(ge=1, le=256)] = 16
    """Length of an entry."""
    commitment: Annotated[float, Field(ge=0, le=10)] = 0.25
    """Weight of the encoder's distance from the words it chose (Eq. 3)."""
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.98
    """Decay per step of the running means that are the codebook."""
    settled: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Fraction of the run after which the words stand still and the prior alone goes on learning."""
    prior_width: Annotated[int, Field(ge=32, le=1024, multiple_of=32)] = 128
    """Features of the prior."""
    prior_layers: Annotated[int, Field(ge=1, le=24)] = 4
    """Layers of the prior."""


class Codebook(nn.Module):
    """Words, and the running means that they are."""

    words: Tensor
    counts: Tensor

    def __init__(self, words: int, dimensions: int, memory: float) -> None:
        super().__init__()
        self.memory = memory
        self.register_buffer("words", torch.randn(words, dimensions))
        self.register_buffer("counts", torch.zeros(words))

    def forward(self, z: Float[Tensor, "N D"]) -> Int64[Tensor, " N"]:
        """Return the index of the word nearest to each vector of Float [N, D], int64 [N]."""
        return torch.cdist(z.float()[None], self.words[None])[0].argmin(dim=1)

    @torch.no_grad()
    def follow(
        self, z: Float[Tensor, "N D"], indices: Int64[Tensor, " N"], uniform: Float[Tensor, "*draws"]
    ) -> None:
        """Move each word towards the mean of the vectors that chose it (van den Oord et al., Eq. 6-8).

        Args:
            z: Float [N, D].
            indices: What `forward` said of them.
            uniform: Float in [0, 1), which vectors the unused words begin anew at.
        """
        z, entries = z.float(), len(self.words)
        chosen = F.one_hot(indices, entries).to(z.dtype)
        sums, here = chosen.T @ z, chosen.sum(dim=0)
        kept = self.memory * self.counts
        total = kept + (1 - self.memory) * here
        weighted = kept[:, None] * self.words + (1 - self.memory) * sums
        used = total > 1e-3 * len(z) / entries
        anew = z[(uniform.flatten()[:entries] * len(z)).long().clamp(max=len(z) - 1)]
        if len(anew) < entries:
            anew = anew.repeat(math.ceil(entries / len(anew)), 1)[:entries]
        self.words.copy_(torch.where(used[:, None], weighted / total.clamp(min=1e-12)[:, None], anew))
        # a word that begins anew has as much to lose as the average one
        self.counts.copy_(torch.where(used, total, torch.full_like(total, len(z) / entries)))


class Prior(nn.Module):
    """Says which word comes next, given those before and the condition."""

    def __init__(self, config: VQVAEConfig, length: int, condition_width: int) -> None:
        super().__init__()
        width = config.prior_width
        self.start = nn.Parameter(torch.zeros(width))
        self.places = nn.Parameter(0.02 * torch.randn(length, width))
        self.words = nn.Embedding(config.words, width)
        self.condition = ConditionEmbedding(condition_width, width)
        self.body = CausalTransformer(width, config.prior_layers)
        self.leave = nn.Linear(width, config.words)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.zeros_(self.leave.weight)

    def forward(self, indices: Int64[Tensor, "B T"], condition: Condition) -> Float[Tensor, "B T words"]:
        """Return the logits of every word of int64 [B, T] from those before it, Float [B, T, words]."""
        before = self.words(indices[:, :-1])
        first = self.start.expand(len(indices), 1, -1)
        h = torch.cat([first, before], dim=1) + self.places + self.condition(condition)[:, None]
        return self.leave(self.body(h)[0]).float()

    def write(
        self, quantiles: Float[Tensor, "B T"], condition: Condition, temperature: float
    ) -> Int64[Tensor, "B T"]:
        """Choose one word after the other, each at its quantile.

        Args:
            quantiles: Float64 [B, T], in [0, 1].
            condition: What the images should show.
            temperature: Below 1 favours likely words.

        Returns:
            int64 [B, T].
        """
        embedded, memory = self.condition(condition), None
        h, chosen = self.start.expand(len(quantiles), -1), []
        for place, quantile in enumerate(quantiles.T.contiguous()[:, :, None]):
            h, memory = self._next(h + self.places[place] + embedded, memory)
            steps = _cumulative(self.leave(h).float() / temperature)
            word = torch.searchsorted(steps, quantile)[:, 0].clamp(max=steps.shape[1] - 1)
            chosen.append(word)
            h = self.words(word)
        return torch.stack(chosen, dim=1)

    def _next(self, x: Float[Tensor, "B E"], memory: Memory | None) -> tuple[Tensor, Memory]:
        """Advance by one position; Float [B, C]."""
        h, remembered = self.body(x[:, None], memory)
        return h[:, 0], remembered


class VQVAE(GenerativeModel):
    """Encoder, codebook, decoder, and the prior over indices."""

    Config = VQVAEConfig
    sampling_keys = frozenset({"truncation"})
    smooth = False
    measures = "bound in nats"
    higher_fits = True

    def __init__(self, config: VQVAEConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config = config
        patch = working_patch(data.height, data.width, LEVELS, None)
        self.remarks = heavy(data.height, data.width, LEVELS)
        factor = patch * 2 ** (LEVELS - 1)
        self.grid = (data.height // factor, data.width // factor)
        top = config.width * 2 ** (LEVELS - 1)
        self.encoder = nn.Sequential(
            encoder(data.channels, patch, config.width, LEVELS, config.blocks),
            nn.Conv2d(top, config.dimensions, 1),
        )
        self.codebook = Codebook(config.words, config.dimensions, config.memory)
        self.decoder = nn.Sequential(
            nn.Conv2d(config.dimensions, top, 3, padding=1),
            decoder(data.channels, patch, config.width, LEVELS, config.blocks),
        )
        self.prior = Prior(config, math.prod(self.grid), data.condition_width)

    def ready(self) -> Sequence[str]:
        return self.remarks

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        codec = [*self.encoder.parameters(), *self.decoder.parameters()]
        return {"autoencoder": codec, "prior": list(self.prior.parameters())}

    def compilable(self) -> Sequence[nn.Module]:
        return [self.encoder, self.decoder]

    def recomputable(self) -> Sequence[nn.Module]:
        return [module for module in self.modules() if isinstance(module, Residual)]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        if clock.progress < self.config.settled:
            loss, error, z, indices = self._reconstruction(batch.images)
            draws = clock.noise.uniform("words", math.prod(self.grid))
            self.codebook.follow(*map(clock.gather, (z.detach(), indices.flatten(), draws)))
            used = self.codebook.counts / self.codebook.counts.sum()
            perplexity = torch.exp(-(used * (used + 1e-12).log()).sum())
            terms = {"loss": loss.detach(), "error": error.detach(), "perplexity": perplexity}
            yield Loss("autoencoder", loss, terms)
        else:
            with torch.no_grad():
                indices = self._indices(batch.images)

        loss = self._surprise(indices, batch.condition)
        yield Loss("prior", loss, {"loss": loss.detach()})

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Scalar]:
        _, error, _, indices = self._reconstruction(batch.images)
        return {"error": error, "prior": self._surprise(indices, batch.condition)}

    def _reconstruction(
        self, images: Images
    ) -> tuple[Scalar, Scalar, Float[Tensor, "N D"], Int64[Tensor, "B T"]]:
        """Return the loss, the pixels' mean squared error, z as [N, D], and the indices [B, T]."""
        maps = self.encoder(images).float()
        z = maps.permute(0, 2, 3, 1).flatten(0, 2)
        indices = self.codebook(z).view(len(images), -1)
        words = self._words(indices)
        # forwards the word, backwards the encoder's vector (straight through, Sec. 3.2)
        error = (self._decoded(maps + (words - maps).detach()) - images).square().mean()
        commitment = (maps - words).square().mean()
        return error + self.config.commitment * commitment, error, z, indices

    def _indices(self, images: Images) -> Int64[Tensor, "B T"]:
        """Return the words that images are written in, int64 [B, T]."""
        z = self.encoder(images).permute(0, 2, 3, 1).flatten(0, 2)
        return self.codebook(z).view(len(images), -1)

    def _words(self, indices: Int64[Tensor, "B T"]) -> Float[Tensor, "B D h w"]:
        """Return the words of indices [B, T] in their places, Float [B, D, h, w]."""
        return self.codebook.words[indices].mT.unflatten(2, self.grid)

    def _decoded(self, words: Float[Tensor, "B D h w"]) -> Images:
        return torch.tanh(self.decoder(words).float())

    def _surprise(self, indices: Int64[Tensor, "B T"], condition: Condition) -> Scalar:
        """Return the prior's mean negative log likelihood per word, in nats."""
        return F.cross_entropy(self.prior(indices, condition).flatten(0, 1), indices.flatten())

    def latents(self, noise: ImageNoise) -> Float[Tensor, "B T"]:
        return noise.normal("latents", math.prod(self.grid))

    def decode(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        quantiles = torch.special.ndtr(latents.double())
        return self._decoded(self._words(self.prior.write(quantiles, condition, sampling.truncation)))

    def score(self, images: Images, condition: Condition, noise: ImageNoise) -> PerImage:
        """Return the log likelihood of the words, and of the pixels given them (van den Oord et al., Sec. 3).

        Of densities of pixels in [-1, 1], under a Gaussian with the spread that suits the image best
        (Rybkin et al. 2020, Sec. 3.2, arXiv:2006.13202).

        Note: telling that one number would cost a few nats more, the same for every image.
        """
        indices = self._indices(images)
        logits = self.prior(indices, condition)
        surprise = F.cross_entropy(logits.flatten(0, 1), indices.flatten(), reduction="none")
        squared = (self._decoded(self._words(indices)) - images).square().mean(dim=(1, 2, 3))
        spread = squared.clamp(min=1 / (12 * 127.5**2))  # a pixel's own rounding
        pixels = images[0].numel() / 2 * (torch.log(2 * math.pi * spread) + squared / spread)
        return -(pixels + surprise.view(len(images), -1).sum(dim=1))

    def encode(self, images: Images, condition: Condition) -> Float[Tensor, "B T"]:
        """Return the quantiles at which the prior would choose the words of these images."""
        indices = self._indices(images)
        steps = _cumulative(self.prior(indices, condition))
        upper = steps.gather(2, indices[:, :, None])[:, :, 0]
        below = steps.gather(2, (indices - 1).clamp(min=0)[:, :, None])[:, :, 0]
        middle = (upper + torch.where(indices > 0, below, 0.0)) / 2
        return torch.special.ndtri(middle.clamp(1e-12, 1 - 1e-12)).float()


def _cumulative(logits: Float[Tensor, "*shape words"]) -> Float64[Tensor, "*shape words"]:
    """Return the cumulative probabilities of words, Float64 [..., words]."""
    return torch.softmax(logits.double(), dim=-1).cumsum(dim=-1)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="vqvae",
        summary="Images as sentences: a codebook of patches, and a transformer that writes them.",
        model=VQVAEConfig(),
        training=TrainingConfig(
            batch_size=32,
            optimizers={
                "autoencoder": OptimizerConfig(lr=1e-3, clip=1.0),
                "prior": OptimizerConfig(lr=1e-3, clip=1.0),
            },
        ),
    )


register("vqvae", VQVAE, recipe)
