"""The plain DCGAN of PyTorch's tutorial, also for 32x32: what Sfumato's presets are held against.

Reference: Inkawhich, https://docs.pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html, after Radford et
al. 2015, arXiv:1511.06434: 64 channels, BatchNorm in both networks, BCE, Adam 2e-4 with betas (.5, .999),
batches of 128, float32, no average of the weights. At 32x32, where the tutorial has 64, one convolution less.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor, nn

from sfumato.data.feed import Feed
from sfumato.data.prepared import Prepared
from sfumato.imaging.pixels import to_uint8

BATCH, LATENT, WIDTH = 128, 100, 64


def widths(side: int) -> list[int]:
    """Return the channels at each resolution, from half of the image's down to 4x4."""
    return [WIDTH * 2**level for level in range(side.bit_length() - 3)]


def make_generator(channels: int, side: int) -> nn.Sequential:
    """Latent [B, 100, 1, 1] to image [B, C, side, side] in [-1, 1]; a side is a power of two."""
    layers: list[nn.Module] = []
    path = [LATENT, *reversed(widths(side))]
    for level, (inputs, outputs) in enumerate(zip(path[:-1], path[1:], strict=True)):
        stride, padding = (2, 1) if level else (1, 0)
        layers += [
            nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(True),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(WIDTH, channels, 4, 2, 1, bias=False), nn.Tanh())


def make_discriminator(channels: int, side: int) -> nn.Sequential:
    """Image [B, C, side, side] to the probability that it is real, [B]."""
    path = widths(side)
    layers: list[nn.Module] = [
        nn.Conv2d(channels, WIDTH, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    for inputs, outputs in zip(path[:-1], path[1:], strict=True):
        layers += [
            nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2, inplace=True),
        ]
    return nn.Sequential(*layers, nn.Conv2d(path[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0))


def initialise(module: nn.Module) -> None:
    """Draw weights as the tutorial's weights_init does."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class TutorialDCGAN:
    """Networks, optimizers and data of the tutorial's loop.

    Its batches come from Feed too (unmirrored, as in the tutorial), which is faster than the tutorial's
    DataLoader: only the recipes are compared.
    """

    def __init__(self, prepared: Prepared, seed: int) -> None:
        """Begin a training on the train split."""
        torch.manual_seed(seed)
        self.feed = Feed(prepared, prepared.train, BATCH, seed, flip=False)
        self.generator = make_generator(*prepared.spec.shape[:2]).apply(initialise)
        self.discriminator = make_discriminator(*prepared.spec.shape[:2]).apply(initialise)
        self.adam_d = torch.optim.Adam(self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.adam_g = torch.optim.Adam(self.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.bce, self.seen = nn.BCELoss(), 0

    def step(self, real: Tensor) -> None:
        """Take one step, as the tutorial writes it."""
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        self.discriminator.zero_grad()
        self.bce(self.discriminator(real), ones).backward()
        fake = self.generator(torch.randn(len(real), LATENT, 1, 1))
        self.bce(self.discriminator(fake.detach()), zeros).backward()
        self.adam_d.step()
        self.generator.zero_grad()
        self.bce(self.discriminator(fake), ones).backward()
        self.adam_g.step()

    def train(self, steps: int) -> int:
        """Take some steps; return the number of images."""
        for _ in range(steps):
            # the tutorial's tensors are not channels_last
            self.step(self.feed.batch(self.seen).images.clone(memory_format=torch.contiguous_format))
            self.seen += BATCH
        return steps * BATCH

    def train_for(self, seconds: float) -> None:
        """Take steps until the time is up."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.train(1)

    @torch.no_grad()
    def sample(self, count: int, *, training: bool, seed: int = 0) -> np.ndarray:
        """Draw images, uint8 [N, H, W, C].

        Args:
            count: How many.
            training: Whether BatchNorm uses each batch's own statistics, as in the tutorial's figures,
                or the running ones.
            seed: Of the latents.
        """
        latents = torch.randn(count, LATENT, 1, 1, generator=torch.Generator().manual_seed(seed))
        running = {name: buffer.clone() for name, buffer in self.generator.named_buffers()}
        self.generator.train(training)
        images = torch.cat([to_uint8(self.generator(part)) for part in latents.split(BATCH)])
        self.generator.load_state_dict(running, strict=False)
        self.generator.train()
        return images.numpy()
