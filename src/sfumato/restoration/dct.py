"""Denoising by shrinking the DCT coefficients of every overlapping 8 x 8 block.

A block of a photograph has few large coefficients, noise has many small ones. Every pixel lies in many
blocks; their answers are averaged, simple blocks counting more.

Reference: Yu and Sapiro 2011, "DCT image denoising", doi:10.5201/ipol.2011.ys-dct, for the hard threshold;
Dabov et al. 2007, doi:10.1109/TIP.2007.901238, for the weights by sparsity and the second, Wiener, pass.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import fft
from torch import Tensor
from torch.nn import functional

from sfumato.restoration.noise import SIDE, Noise

RADIUS = 2 * SIDE
"""How far both passes together see, in pixels."""

_THRESHOLD = 2.7
"""In standard deviations: the usual compromise between noise that stays and detail that goes."""


def shrink(plane: Tensor, noise: Noise, *, stride: int = 2, strength: float = 1.0) -> Tensor:
    """Remove noise of a known spectrum from a plane.

    Args:
        plane: Float [1, 1, H, W] in [0, 1], of any size.
        noise: Its noise; where it depends on the brightness, each block is held against its own.
        stride: Blocks begin at every so many pixels, a divisor of 8: 1 is best, 2 a quarter of the work.
        strength: Factor on the noise's standard deviation.

    Returns:
        Float [1, 1, H, W].
    """
    height, width = plane.shape[2:]
    after = [2 * SIDE + (-length) % SIDE for length in (width, height)]
    padded = _padded(plane, (SIDE, after[0], SIDE, after[1]))[0, 0]
    shifts = [(y, x) for y in range(0, SIDE, stride) for x in range(0, SIDE, stride)]
    basis = _basis(plane)
    first, shares = torch.zeros_like(padded), torch.zeros_like(padded)
    for shift in shifts:
        found = _blocks(padded, shift) @ basis.T
        kept = found.abs() > _sigmas(found, noise, strength * _THRESHOLD)
        kept[:, 0] = True  # the mean is not noise
        weight = kept.sum(dim=1, keepdim=True).float().reciprocal_()
        _add(first, shares, (found * kept * weight) @ basis, weight, shift)
    first /= shares.clamp_min_(1e-12)
    made, shares = torch.zeros_like(padded), torch.zeros_like(padded)
    for shift in shifts:
        found, pilot = _blocks(padded, shift) @ basis.T, (_blocks(first, shift) @ basis.T).square_()
        gain = pilot / (pilot + _sigmas(found, noise, strength).square()).clamp_min_(1e-20)
        gain[:, 0] = 1
        weight = gain.square().sum(dim=1, keepdim=True).reciprocal_()
        _add(made, shares, (found.mul_(gain) * weight) @ basis, weight, shift)
    made /= shares.clamp_min_(1e-12)
    return made[None, None, SIDE : SIDE + height, SIDE : SIDE + width]


def _basis(like: Tensor) -> Tensor:
    """Return the 64 orthonormal DCT-II patterns as rows [64, 64], both axes in reading order."""
    rows = torch.from_numpy(np.asarray(fft.dct(np.eye(SIDE), axis=0, norm="ortho"))).to(like)
    return torch.kron(rows, rows)


def _padded(plane: Tensor, sides: tuple[int, int, int, int]) -> Tensor:
    """Pad by reflection, or by repetition where the plane is too small for it."""
    left, right, top, bottom = sides
    across = "reflect" if plane.shape[3] > max(left, right) else "replicate"
    down = "reflect" if plane.shape[2] > max(top, bottom) else "replicate"
    plane = functional.pad(plane, (left, right, 0, 0), mode=across)
    return functional.pad(plane, (0, 0, top, bottom), mode=down)


def _inner(plane: Tensor, shift: tuple[int, int]) -> Tensor:
    """Return the view [h, 8, w, 8] of the whole blocks that begin at a shift."""
    part = plane[shift[0] : plane.shape[0] - SIDE + shift[0], shift[1] : plane.shape[1] - SIDE + shift[1]]
    return part.unflatten(1, (-1, SIDE)).unflatten(0, (-1, SIDE))


def _blocks(plane: Tensor, shift: tuple[int, int]) -> Tensor:
    """Return the blocks that begin at a shift, one per row, [N, 64]."""
    return _inner(plane, shift).transpose(1, 2).reshape(-1, SIDE * SIDE)


def _add(total: Tensor, shares: Tensor, pixels: Tensor, weight: Tensor, shift: tuple[int, int]) -> None:
    """Add weighted blocks [N, 64] to the running sum, and their weights [N, 1] to the shares."""
    place, share = _inner(total, shift), _inner(shares, shift)
    place += pixels.view(place.shape[0], place.shape[2], SIDE, SIDE).transpose(1, 2)
    share += weight.view(place.shape[0], 1, place.shape[2], 1)


def _sigmas(found: Tensor, noise: Noise, strength: float) -> Tensor:
    """Return the standard deviation of the noise in each coefficient, times a factor, [1 or N, 64]."""
    spectrum = torch.from_numpy(np.asarray(noise.spectrum)).to(found).view(1, -1) * strength
    if len(noise.sigmas) == 1:
        return spectrum * noise.sigma
    table = np.interp(np.linspace(0, 1, 65), noise.brightness, noise.sigmas)
    mean = (found[:, :1] * (64 / SIDE)).round_().clamp_(0, 64).long()
    return spectrum * torch.from_numpy(table).to(found)[mean]
