"""The DCGAN with attention to channels and places (CBAM), to test the claim that attention sharpens.

Woo et al. 2018, arXiv:1807.06521, in the networks of dcgan.py; all else is equal, so that
`sfumato compare --models dcgan,gan_cbam --seeds 3` is the ablation.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from sfumato.batch import DataSpec
from sfumato.models.dcgan import DCGAN, DCGANConfig
from sfumato.models.dcgan import recipe as dcgan
from sfumato.networks.attention import CBAM
from sfumato.recipe import Recipe, register


class GANCBAMConfig(DCGANConfig):
    """Options of the DCGAN with attention."""

    reduction: Annotated[int, Field(ge=1, le=64)] = 8
    """How much narrower the hidden layer of the channel attention is."""
    attention_in_discriminator: bool = False
    """Attention behind the discriminator's layers too."""


class GANCBAM(DCGAN):
    """A DCGAN with a CBAM behind each hidden layer of the generator."""

    Config = GANCBAMConfig

    def __init__(self, config: GANCBAMConfig, data: DataSpec) -> None:
        attention = partial(CBAM, reduction=config.reduction)
        super().__init__(config, data, attention, attention if config.attention_in_discriminator else None)


def recipe() -> Recipe:
    """Return the preset: dcgan's, with attention."""
    plain = dcgan()
    return plain.model_copy(
        update={
            "preset": "gan_cbam",
            "summary": "The DCGAN with channel and spatial attention: does attention sharpen?",
            "model": GANCBAMConfig(**plain.model.model_dump()),
        }
    )


register("gan_cbam", GANCBAM, recipe)
