"""One extractor, trained here with a fixed seed, that measures every method alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.api.evaluating import open_reference
from sfumato.data.prepared import Prepared
from sfumato.imaging.pixels import from_uint8
from sfumato.metrics.frechet import frechet_distance, frechet_interval
from sfumato.metrics.memorisation import copies
from sfumato.metrics.neighbours import kth_distances, pairwise_distances

SEED = 20_240
BATCH = 256
NEAR = 0.001
"""Quantile of real images' distances to their nearest neighbours below which two images are one."""


@dataclass(frozen=True)
class Judgement:
    """What the ruler says of one set of images."""

    fd: float
    """Fréchet distance to held-out images."""
    interval: tuple[float, float]
    """95%, for the noise of both sets, not of the training's seed."""
    distinct: int
    """Images whose pixels occur once (or first)."""
    distinct_features: int
    """Images that no earlier one is as near to as the nearest 0.1% of real images are."""
    copies: float
    """Fraction nearer to a training image than all but 1% of held-out images; 0.01 is honest."""
    copies_interval: tuple[float, float]
    """95%."""
    exact_copies: int
    """Images that are a training image, pixel for pixel."""

    def to_json(self) -> dict[str, Any]:
        """Return the numbers, rounded."""
        return {
            name: round(value, 4) if isinstance(value, float)
            else [round(v, 4) for v in value] if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }  # fmt: skip


class Classifier(nn.Module):
    """A small convolutional network; its 128 penultimate activations are the features."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((channels, 32), (32, 64), (64, 128)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
            layers += [nn.MaxPool2d(2)]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, 128), nn.ReLU())
        self.leave = nn.Linear(128, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map [B, C, 32, 32] in [-1, 1] to logits."""
        return self.leave(self.body(images))

    @torch.no_grad()
    def look(self, images: np.ndarray) -> Tensor:
        """Map uint8 [N, 32, 32, C] to features, Float [N, 128]."""
        self.eval()
        parts = np.array_split(images, max(len(images) // 500, 1))
        return torch.cat([self.body(from_uint8(torch.from_numpy(part.copy()))) for part in parts])


class Ruler:
    """The features of the real images, and what they say of generated ones."""

    def __init__(self, look: Callable[[np.ndarray], Tensor], prepared: Prepared, samples: int) -> None:
        """Look at the real images.

        Args:
            look: Maps uint8 [N, H, W, C] to features, Float [N, D].
            prepared: The data.
            samples: Held-out images that generated ones are held against, at most.
        """
        self.features = look
        self.training_set = {image.tobytes() for image in prepared.images[prepared.train]}
        self.train = self.features(prepared.images[prepared.train])
        self.test = self.features(prepared.images[prepared.test[:samples]])
        self.near = float(kth_distances(_centred(self.test, self.test), [1])[:, 0].quantile(NEAR))

    def judge(self, images: np.ndarray) -> Judgement:
        """Measure a set of as many images as there are held-out ones."""
        features = self.features(images)
        fd = frechet_distance(self.test, features)
        found = copies(self.train, self.test, features)
        assert found is not None, "every held-out image is in the training set"
        each = [image.tobytes() for image in images]
        return Judgement(
            fd,
            frechet_interval(self.test, features, fd, seed=SEED),
            len(set(each)),
            self._distinct(features),
            found.fraction,
            found.interval,
            sum(image in self.training_set for image in each),
        )

    def fd(self, images: np.ndarray) -> float:
        """Return the Fréchet distance alone."""
        return frechet_distance(self.test, self.features(images))

    def _distinct(self, features: Tensor) -> int:
        """Count the images that no earlier one is nearly equal to."""
        rows = _centred(features, self.test)
        near = pairwise_distances(rows, rows) < self.near
        return int((~near.tril(-1).any(dim=1)).sum())


def by_class(prepared: Prepared, epochs: float, samples: int) -> tuple[Ruler, float]:
    """Train a classifier on the real training set, float32, the same every time, and look with it.

    Args:
        prepared: The data, 32x32, with one column of classes.
        epochs: Passes over the training set.
        samples: Held-out images that generated ones are held against.

    Returns:
        The ruler, and the classifier's accuracy on them.
    """
    classes = torch.from_numpy(prepared.values.argmax(axis=1))
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        network = Classifier(prepared.spec.channels, prepared.spec.condition_width)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        _fit(network, prepared, classes, epochs)
    ruler = Ruler(network.look, prepared, samples)
    with torch.no_grad():
        found = network.leave(ruler.test).argmax(dim=1)
    return ruler, float((found == classes[prepared.test[:samples]]).float().mean())


def by_domain(prepared: Prepared, samples: int) -> Ruler:
    """Look with the extractor that Sfumato trains on the real images themselves; it needs no classes."""
    reference = open_reference(prepared, torch.device("cpu"), lambda event: None)
    return Ruler(lambda images: torch.from_numpy(reference.features(images)), prepared, samples)


def _centred(features: Tensor, around: Tensor) -> Tensor:
    """Return features in float64 with a mean taken off."""
    return features.double() - around.double().mean(dim=0)


def _fit(network: nn.Module, prepared: Prepared, classes: Tensor, epochs: float) -> None:
    """Train with Adam on a one-cycle schedule; the order of images comes from the seed."""
    steps = max(int(epochs * len(prepared.train) / BATCH), 3)
    adam = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True)
    rates = torch.optim.lr_scheduler.OneCycleLR(adam, 2e-3, total_steps=steps)
    whole = -(-steps * BATCH // len(prepared.train))
    order = torch.cat([torch.randperm(len(prepared.train)) for _ in range(whole)])
    pixels, train = torch.from_numpy(prepared.images), torch.from_numpy(prepared.train)
    network.train()
    for rows in order[: steps * BATCH].split(BATCH):
        chosen = train[rows]
        loss = F.cross_entropy(network(from_uint8(pixels.index_select(0, chosen))), classes[chosen])
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        rates.step()
