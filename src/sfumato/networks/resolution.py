"""How often an image can be halved, how many of its pixels become channels, and what is padded for it."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from sfumato.errors import UsageError


def padded(
    network: Callable[[Tensor], Tensor], images: Float[Tensor, "B inputs H W"], multiple: int
) -> Float[Tensor, "B outputs H W"]:
    """Run a network on images of any size.

    Args:
        network: Maps [B, C, H, W] to [B, C', H, W], for sides that are multiples of `multiple`.
        images: Float [B, C, H, W].
        multiple: Images of other sides get more rows below and columns to the right, mirrored where the
            image is large enough, and the answer is cut back.

    Returns:
        Float [B, C', H, W].
    """
    height, width = images.shape[2:]
    return network(extended(images, multiple))[..., :height, :width]


def extended(images: Float[Tensor, "B C H W"], multiple: int) -> Float[Tensor, "B C H2 W2"]:
    """Return images whose sides are multiples, with more rows below and columns to the right if need be."""
    height, width = images.shape[2:]
    below, right = -height % multiple, -width % multiple
    if not below and not right:
        return images
    mode = "reflect" if below < height and right < width else "replicate"
    return F.pad(images, (0, right, 0, below), mode)


def halvings(height: int, width: int) -> int:
    """Return how often the image can be halved while its shorter side stays at 3 pixels or more.

    Raises:
        UsageError: If a side is not a multiple of 8.
    """
    if height % 8 or width % 8:
        raise UsageError(
            f"data.size {height}x{width}: this model needs both sides to be multiples of 8; the nearest "
            f"are {_round(height, 8)}x{_round(width, 8)}."
        )
    count = 3
    while (
        not (height % 2 ** (count + 1) or width % 2 ** (count + 1)) and min(height, width) >> (count + 1) >= 3
    ):
        count += 1
    return count


def working_patch(height: int, width: int, levels: int, patch: int | None) -> int:
    """Return the side of the pixel-unshuffle: the one asked for, or one that works near 16x16.

    Raises:
        UsageError: If the image cannot be folded by it and halved at every level.
    """
    factor = 2 ** (levels - 1)
    if patch is None:
        fits = [p for p in (1, 2, 4, 8) if height % (p * factor) == 0 and width % (p * factor) == 0]
        if not fits:
            raise UsageError(
                f"data.size {height}x{width}: both sides must be multiples of {factor} for a network of "
                f"{levels} levels; the nearest are {_round(height, factor)}x{_round(width, factor)}."
            )
        return min(fits, key=lambda p: abs(min(height, width) / p - 16))
    if height % (patch * factor) or width % (patch * factor):
        factor *= patch
        raise UsageError(
            f"data.size {height}x{width}: both sides must be multiples of {factor} for model.patch {patch} "
            f"and {levels} levels; the nearest are {_round(height, factor)}x{_round(width, factor)}."
        )
    return patch


def heavy(height: int, width: int, levels: int) -> list[str]:
    """Say so where an image can hardly be folded, so that the network works on far more than 16x16.

    Args:
        height: Of the images.
        width: Of the images.
        levels: Of the network, as for `working_patch`.

    Returns:
        One sentence, or none.
    """
    near = (_round(height, 16), _round(width, 16))
    area, cheap = (h * w / working_patch(h, w, levels, None) ** 2 for h, w in ((height, width), near))
    if area <= 2 * cheap:
        return []
    return [
        f"data.size {height}x{width}: hardly any of it can be folded into channels, so a step costs about "
        f"{area / cheap:.0f} times what it does at {near[0]}x{near[1]}; --set "
        f"data.size=[{near[0]},{near[1]}] is quicker."
    ]


def _round(side: int, multiple: int) -> int:
    return max(round(side / multiple), 1) * multiple
