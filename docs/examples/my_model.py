"""A generator that makes batches distributed like real ones (Li et al. 2015, arXiv:1502.02761)."""

from torch import cdist, nn, tanh
from torch.nn.functional import adaptive_avg_pool2d

from sfumato.models.base import GenerativeModel, Loss
from sfumato.networks.resolution import halvings
from sfumato.recipe import ModelConfig, Recipe, TrainingConfig, register


class MomentsConfig(ModelConfig):
    width: int = 32
    """Channels nearest to the image: `--set model.width=64`."""


class Moments(GenerativeModel):
    Config = MomentsConfig

    def __init__(self, config, data):
        super().__init__(config, data)
        levels = halvings(data.height, data.width)
        start = (config.width << levels, data.height >> levels, data.width >> levels)
        layers = [nn.Linear(64, start[0] * start[1] * start[2]), nn.Unflatten(1, start)]
        for channels in (start[0] >> level for level in range(levels)):
            layers += [
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1),
            ]
        self.network = nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(config.width, data.channels, 3, padding=1))

    def parameter_groups(self):
        return {"generator": list(self.network.parameters())}

    def losses(self, batch, clock):
        fake = tanh(self.network(clock.noise.normal("latents", 64)).float())
        loss = sum(distance(small(fake, side), small(batch.images, side)) for side in (2, 4, 8))
        yield Loss("generator", loss, {"loss": loss.detach()})

    def latents(self, noise):
        return noise.normal("latents", 64)

    def decode(self, latents, condition, sampling, noise):
        return tanh(self.network(latents).float())


def small(images, side):
    return adaptive_avg_pool2d(images, side).flatten(1)


def distance(x, y):  # the energy distance: zero only where two batches are distributed alike
    return 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()


def recipe():
    return Recipe(preset="moments", model=MomentsConfig(), training=TrainingConfig(batch_size=128))


register("moments", Moments, recipe)
