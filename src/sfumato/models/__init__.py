"""The models, one file each, with its configuration, its networks and its preset.

One explicit import line for each: what is not imported here does not exist. The order is the
order in which `sfumato presets` lists them.
"""

from sfumato.models import dcgan, gan_cbam, r3gan, fastgan, vae, vqvae, ddpm, flow  # noqa: F401, I001  (importing registers; order is shown)
from sfumato.models import vae_unet, pix2pix, two_stage, nafnet, drunet, upscaler, domain  # noqa: F401, I001  (those that restore and enlarge, and the ruler)
