"""DINOv2's vision transformer: the class token's features of a network that learned without labels.

Reference: Dosovitskiy et al. 2021, arXiv:2010.11929; Touvron et al. 2021 (LayerScale), arXiv:2103.17239;
    Oquab et al. 2023, arXiv:2304.07193; Stein et al. 2023 (as a ruler), arXiv:2306.04675.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.errors import SfumatoError
from sfumato.evaluation.extractor import Extractor
from sfumato.evaluation.resizing import antialiased_bicubic, three_channels
from sfumato.published import Published, Weights, backbone_name, load_state

SIZE = 224
"""Side of the network's input."""
HEAD = 64
"""Features per attention head, in all published sizes."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels in [0, 1], red, green and blue."""

PUBLISHED = Published(
    name="dinov2",
    file="dinov2_vitl14_pretrain.pth",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
    sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    variable="SFUMATO_DINOV2_WEIGHTS",
)
"""ViT-L/14 without registers: 24 blocks of 1024 features."""


class _Attention(nn.Module):
    """Every token looks at every token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map Float [B, T, C] to the same."""
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, width // HEAD, HEAD)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class _Perceptron(nn.Module):
    """Two linear layers, four times as wide in between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map Float [..., C] to the same."""
        return self.fc2(F.gelu(self.fc1(x)))


class _LayerScale(nn.Module):
    """One factor per feature, learned."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        """Map Float [..., C] to the same."""
        return x * self.gamma


class Block(nn.Module):
    """Attention, then two linear layers; each normed before, scaled after and added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = _Attention(width), _Perceptron(width)
        self.ls1, self.ls2 = _LayerScale(width), _LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map Float [B, T, C] to the same."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class _Patches(nn.Module):
    """Cuts an image into patches and maps each to a token."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        """Map Float [B, 3, H, W] to tokens, row by row, Float [B, T, C]."""
        return self.proj(images).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """The network, under the parameter names of the published files."""

    def __init__(self, width: int, depth: int, patch: int, grid: int) -> None:
        """Build the layers; their values come from a file.

        Args:
            width: Features per token, a multiple of `HEAD`.
            depth: Blocks.
            patch: Side of a patch in pixels.
            grid: Side of the grid of positions that were learned, in patches.
        """
        super().__init__()
        self.patch, self.grid = patch, grid
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + grid * grid, width))
        self.patch_embed = _Patches(width, patch)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    @classmethod
    def load(cls, state: Mapping[str, Tensor]) -> VisionTransformer:
        """Build the network whose parameters are given; its sizes are read from them.

        Raises:
            KeyError, ValueError, RuntimeError: If they are of another network.
        """
        # mask_token is for training alone
        kept = {key: value for key, value in state.items() if key != "mask_token"}
        projection, positions = kept["patch_embed.proj.weight"], kept["pos_embed"]
        width, _, patch, _ = projection.shape
        depth = len({key.split(".")[1] for key in kept if key.startswith("blocks.")})
        if width % HEAD:
            raise ValueError(f"{width} features per token are no multiple of {HEAD}")
        with torch.device("meta"):
            network = cls(width, depth, patch, math.isqrt(positions.shape[1] - 1))
        network.load_state_dict(kept, assign=True)
        return network.float().requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        """Map Float [B, 3, H, W], normalised, H and W multiples of the patch, to the class token, [B, C]."""
        tokens = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], dim=1)
        x = x + self.positions(images.shape[2] // self.patch, images.shape[3] // self.patch)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 0]

    def positions(self, rows: int, columns: int) -> Tensor:
        """Return the position embedding of a grid of patches, Float [1, 1 + rows * columns, C].

        Note: The published network interpolates with the scale factor (rows + 0.1) / grid, which does
            not only guard against rounding but shifts every value a little; its features need it.
        """
        if rows == columns == self.grid:
            return self.pos_embed
        learned = self.pos_embed[:, 1:].reshape(1, self.grid, self.grid, -1).permute(0, 3, 1, 2)
        factors = [(rows + 0.1) / self.grid, (columns + 0.1) / self.grid]
        fitted = F.interpolate(learned, scale_factor=factors, mode="bicubic")
        return torch.cat([self.pos_embed[:, :1], fitted.flatten(2).transpose(1, 2)], dim=1)


class DINOv2(Extractor):
    """The class token's features: 1024 per image with the published weights."""

    resize = f"Pillow bicubic, antialiased, to {SIZE}"

    def __init__(self, weights: Weights, device: torch.device) -> None:
        """Build the network.

        Args:
            weights: The published file, or one of the same layout, which gives the extractor another name.
            device: Where it computes.

        Raises:
            SfumatoError: If the file does not hold such a network's weights.
        """
        self.name = backbone_name("dinov2", PUBLISHED, weights)
        self.weights_sha256, self.device = weights.sha256, device
        self.batch = 16 if device.type == "cpu" else 128
        try:
            self._network = VisionTransformer.load(load_state(weights)).to(device)
        except (KeyError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise SfumatoError(
                f"{weights.path}: not the weights of a DINOv2 transformer without registers "
                f"({reason[:160]}); give {PUBLISHED.file}."
            ) from error
        self._mean = torch.tensor(MEAN, device=device).view(3, 1, 1)
        self._std = torch.tensor(STD, device=device).view(3, 1, 1)

    def embed(self, images: Tensor) -> Tensor:
        """Map uint8 [B, H, W, C] to the class token's features, float32 [B, D]."""
        pixels = three_channels(antialiased_bicubic(images, SIZE)).div(255)
        return self._network((pixels - self._mean) / self._std)
