"""The two diffusion libraries that people reach for, given the seconds, batch and precision of ours.

They are installed for this benchmark only: pip install denoising-diffusion-pytorch diffusers. Their networks
have as many parameters as `flow` has (within 10%), their optimizers, averages and samplers are those of
their own trainer and examples; batches come from Feed, which is faster than their loaders. Both are trained
without classes, and so are Sfumato's presets beside them.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from sfumato.data.feed import Feed
from sfumato.data.prepared import Prepared
from sfumato.imaging.pixels import to_uint8
from sfumato.training.precision import DTYPES, choose_precision

BATCH = 48
"""As many as `flow` takes."""
TOGETHER = 32
"""Images that are drawn together: on two cores fastest for both (of 8, 32 and 250)."""


class Peer(ABC):
    """A library's network, trained as it is meant to be."""

    samplers: Mapping[str, int]
    """Its ways to sample, by name: network evaluations. The best of them counts."""
    default: int
    """Network evaluations of its default sampler."""
    network: nn.Module

    def __init__(self, prepared: Prepared, seed: int, rate: float) -> None:
        """Begin a training on the train split."""
        torch.manual_seed(seed)
        self.shape, self.seen = prepared.spec.shape, 0
        self.feed = Feed(prepared, prepared.train, BATCH, seed, flip=False)
        self.dtype = DTYPES[choose_precision("auto", torch.device("cpu"))]
        self.build(rate)

    @property
    def parameters(self) -> int:
        """How many weights the network has."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @abstractmethod
    def build(self, rate: float) -> None:
        """Make network, optimizer and average."""

    @abstractmethod
    def step(self, images: Tensor) -> None:
        """Take one training step; images in [-1, 1]."""

    @abstractmethod
    def draw(self, count: int, sampler: str) -> Tensor:
        """Draw images in [-1, 1] with the averaged weights."""

    def autocast(self) -> torch.autocast:
        """Return the format that is fast on this processor, as the presets choose it."""
        return torch.autocast("cpu", self.dtype, enabled=self.dtype != torch.float32)

    def train_for(self, seconds: float) -> None:
        """Take steps until the time is up."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            with self.autocast():
                self.step(self.feed.batch(self.seen).images)
            self.seen += BATCH

    @torch.no_grad()
    def sample(self, count: int, sampler: str, seed: int = 0) -> np.ndarray:
        """Draw images, uint8 [N, H, W, C]."""
        torch.manual_seed(seed)
        parts = []
        with self.autocast():
            for start in range(0, count, TOGETHER):
                parts.append(to_uint8(self.draw(min(TOGETHER, count - start), sampler).float()))
        return torch.cat(parts).numpy()


class DenoisingDiffusion(Peer):
    """denoising-diffusion-pytorch (P. Wang), as its Trainer does it: Adam, EMA of .995 every 10 steps."""

    samplers = {"ddim 20": 20, "ddim 50": 50}
    default = 1000

    def build(self, rate: float) -> None:
        from denoising_diffusion_pytorch import GaussianDiffusion, Unet  # pyright: ignore
        from ema_pytorch import EMA  # pyright: ignore

        self.network = Unet(dim=24, dim_mults=(1, 2, 4), channels=self.shape[0])
        self.network.to(memory_format=torch.channels_last)
        self.diffusion = GaussianDiffusion(self.network, image_size=self.shape[1], sampling_timesteps=50)
        self.optimizer = torch.optim.Adam(self.diffusion.parameters(), lr=rate, betas=(0.9, 0.99))
        self.average = EMA(self.diffusion, beta=0.995, update_every=10)

    def step(self, images: Tensor) -> None:
        self.diffusion((images + 1) / 2).backward()
        torch.nn.utils.clip_grad_norm_(self.diffusion.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update()

    def draw(self, count: int, sampler: str) -> Tensor:
        model = self.average.ema_model.eval()
        steps = self.default if sampler == "default" else self.samplers[sampler]
        model.sampling_timesteps, model.is_ddim_sampling = steps, steps < self.default
        return model.sample(batch_size=count) * 2 - 1


class Diffusers(Peer):
    """Diffusers' UNet2DModel and DDPMScheduler, as its example train_unconditional.py runs them."""

    samplers = {"dpmsolver++ 20": 20, "ddim 50": 50}
    default = 1000

    def build(self, rate: float) -> None:
        from diffusers import DDPMScheduler, UNet2DModel  # pyright: ignore
        from diffusers.training_utils import EMAModel  # pyright: ignore

        self.network = UNet2DModel(
            sample_size=self.shape[1],
            in_channels=self.shape[0],
            out_channels=self.shape[0],
            layers_per_block=1,
            block_out_channels=(32, 56, 88),
            norm_num_groups=8,
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        )
        self.network.to(memory_format=torch.channels_last)
        self.noise = DDPMScheduler(num_train_timesteps=1000)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=rate, betas=(0.95, 0.999), weight_decay=1e-6, eps=1e-8
        )
        self.average = EMAModel(
            self.network.parameters(), decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75
        )

    def step(self, images: Tensor) -> None:
        eps = torch.randn_like(images)
        timesteps = torch.randint(0, 1000, (len(images),))
        predicted = self.network(self.noise.add_noise(images, eps, timesteps), timesteps).sample
        (predicted.float() - eps).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.step(self.network.parameters())

    def draw(self, count: int, sampler: str) -> Tensor:
        from diffusers import DDIMScheduler, DPMSolverMultistepScheduler  # pyright: ignore

        if sampler == "default":
            scheduler = self.noise
        elif sampler.startswith("ddim"):
            scheduler = DDIMScheduler.from_config(self.noise.config)
        else:
            scheduler = DPMSolverMultistepScheduler.from_config(self.noise.config)
        scheduler.set_timesteps(self.samplers.get(sampler, self.default))
        self.average.store(self.network.parameters())
        self.average.copy_to(self.network.parameters())
        x = torch.randn(count, *self.shape)
        for t in scheduler.timesteps:
            x = scheduler.step(self.network(x, t).sample.float(), t, x).prev_sample
        self.average.restore(self.network.parameters())
        return x


PEERS: dict[str, type[Peer]] = {"denoising-diffusion-pytorch": DenoisingDiffusion, "diffusers": Diffusers}
