"""The training steps of the three models as one would write them by hand, in plain PyTorch loops.

They share the networks, the batches (Feed), the optimizers and the rules of the recipe with
Sfumato; they know nothing of loss streams, clocks, counted noise, micro-batches, processes or guards.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sfumato.batch import Batch
from sfumato.data.feed import Feed
from sfumato.models.dcgan import DCGAN
from sfumato.models.flow import Flow
from sfumato.models.vae import VAE
from sfumato.objectives.adversarial import discriminator_loss, generator_loss
from sfumato.objectives.variational import mixture_log_density
from sfumato.recipe import OptimizerConfig, TrainingConfig
from sfumato.training.muon import Muon
from sfumato.training.precision import DTYPES

Train = Callable[[int], int]
"""Takes some steps and returns how many images they were."""


class Average:
    """The moving average of a model's weights, on the recipe's half-life and ramp."""

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        self.config = config
        average = copy.deepcopy(model).requires_grad_(False).eval()
        self.weights = [p.detach() for p in average.parameters()]
        self.live = [p.detach() for p in model.parameters()]
        self.buffers = list(zip(average.buffers(), model.buffers(), strict=True))

    @torch.no_grad()
    def update(self, seen: int) -> None:
        """Follow the weights after `seen` images."""
        halflife = min(self.config.ema_halflife, self.config.ema_ramp * seen)
        torch._foreach_lerp_(self.weights, self.live, 1 - 0.5 ** (self.config.batch_size / halflife))
        for average, live in self.buffers:
            average.copy_(live)


def to_device(model: nn.Module, config: TrainingConfig, device: torch.device) -> None:
    """Move a model in place, in the recipe's memory format."""
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    model.to(device=device, memory_format=layout)  # type: ignore[call-overload]


def make_optimizer(
    parameters: Sequence[nn.Parameter], settings: OptimizerConfig, config: TrainingConfig
) -> torch.optim.Optimizer:
    """Return AdamW or Muon; only matrices and kernels decay."""
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.kind == "muon":
        fast = torch.bfloat16 if config.precision == "bf16" else torch.float32
        return Muon(groups, settings.lr, settings.betas, dtype=fast)
    return torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas, fused=True)


def apply(optimizer: torch.optim.Optimizer, parameters: Sequence[nn.Parameter], clip: float | None) -> None:
    """Clip where the recipe clips, step, and forget the gradients."""
    if clip:
        nn.utils.clip_grad_norm_(parameters, clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def autocast(config: TrainingConfig, device: torch.device) -> torch.autocast:
    """Return the recipe's precision as a context."""
    dtype = DTYPES[config.precision]
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def looped(step: Callable[[Batch, int], None], feed: Feed, average: Average) -> Train:
    """Return the loop around a step (which is told its number): batch, step, average."""
    seen, size = 0, average.config.batch_size

    def train(steps: int) -> int:
        nonlocal seen
        for _ in range(steps):
            step(feed.batch(seen), seen // size)
            seen += size
            average.update(seen)
        return steps * size

    return train


def bare_dcgan(model: DCGAN, config: TrainingConfig, feed: Feed, device: torch.device) -> Train:
    """Return the DCGAN's loop: a discriminator step, a generator step."""
    to_device(model, config, device)
    options, size = model.game, config.batch_size
    generator, discriminator = model.generator, model.discriminator
    weights_g, weights_d = list(generator.parameters()), list(discriminator.parameters())
    settings_g, settings_d = config.optimizers["generator"], config.optimizers["discriminator"]
    adam_g, adam_d = (
        make_optimizer(weights_g, settings_g, config),
        make_optimizer(weights_d, settings_d, config),
    )
    blur = options.instance_noise

    def noisy(images: Tensor) -> Tensor:
        return images + blur * torch.randn(images.shape, device=device) if blur else images

    def step(batch: Batch, number: int) -> None:
        discriminator.requires_grad_(True)
        with autocast(config, device):
            fake = generator(torch.randn(size, options.latent, device=device), batch.condition)
            both = noisy(torch.cat([batch.images, fake.detach()]))
            real_logits, fake_logits = discriminator(both, batch.condition.repeated(2)).chunk(2)
            loss = discriminator_loss(options.loss, real_logits, fake_logits)
        loss.backward()
        apply(adam_d, weights_d, settings_d.clip)

        discriminator.requires_grad_(False)
        with autocast(config, device):
            logits = discriminator(noisy(fake), batch.condition)
            loss = generator_loss(options.loss, logits, real_logits.detach())
        loss.backward()
        apply(adam_g, weights_g, settings_g.clip)

    return looped(step, feed, Average(model, config))


def bare_vae(model: VAE, config: TrainingConfig, feed: Feed, device: torch.device) -> Train:
    """Return the VAE's loop: bound and prior have no weight in common, so one backward serves both."""
    to_device(model, config, device)
    options, size = model.config, config.batch_size
    groups = {name: list(parameters) for name, parameters in model.parameter_groups().items()}
    optimizers = {name: make_optimizer(groups[name], config.optimizers[name], config) for name in groups}

    def step(batch: Batch, number: int) -> None:
        with autocast(config, device):
            mean, log_variance = model._posterior(batch.images, batch.condition)
            z = mean + (log_variance / 2).exp() * torch.randn(size, options.latent, device=device)
            error, kl = model._bound(batch, z, mean, log_variance)
            paid = kl.mean(dim=0).clamp(min=options.free_bits).sum()
            beta = options.beta * (0.0 if options.beta_warmup else 1.0)  # as at the start of a long run
            bound = (error + beta * paid) / math.prod(model.shape)
            density = mixture_log_density(
                z.detach() - model.prior_shift(batch.condition).float(),
                model.prior_weights,
                model.prior_means,
                model.prior_log_std,
            )
            loss = bound - density.mean() / options.latent
        loss.backward()
        for name, optimizer in optimizers.items():
            apply(optimizer, groups[name], config.optimizers[name].clip)

    return looped(step, feed, Average(model, config))


def bare_flow(model: Flow, config: TrainingConfig, feed: Feed, device: torch.device) -> Train:
    """Return the rectified flow's loop."""
    to_device(model, config, device)
    options, size = model.config, config.batch_size
    weights, settings = list(model.unet.parameters()), config.optimizers["unet"]
    optimizer = make_optimizer(weights, settings, config)

    def step(batch: Batch, number: int) -> None:
        with autocast(config, device):
            condition = batch.condition.keep(torch.rand(size, device=device) >= options.forget)
            eps = torch.randn(batch.images.shape, device=device)
            t = torch.sigmoid(options.time_mean + options.time_std * torch.randn(size, device=device))
            x_t = torch.lerp(batch.images, eps, t[:, None, None, None])
            v, _ = model._velocity(x_t, t, condition)
            loss = (v - (eps - batch.images)).square().mean()
        loss.backward()
        apply(optimizer, weights, settings.clip)

    return looped(step, feed, Average(model, config))


BARE: dict[str, Callable[..., Train]] = {"dcgan": bare_dcgan, "vae": bare_vae, "flow": bare_flow}
"""The loops, by preset."""
