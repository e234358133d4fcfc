"""How far a restored image is from the true one: an objective whose parts weigh alike.

PSNR is a logarithm: ten per cent less error is worth the same on a picture that is nearly right as on a
ruined one. The mean squared error hears only the ruined ones; the root of each picture's, whose slope is a
direction and not a size, hears them all. It learned faster than squared and absolute error
(docs/performance.md).
"""

from __future__ import annotations

from sfumato.batch import Images, Scalar

TINY = 1e-6
"""Added under the root: an image without error would have no slope there. An eighth of a level of 255."""


def root_error(restored: Images, clean: Images) -> Scalar:
    """Return the mean over images of the root of each one's mean squared error, in units of [-1, 1]."""
    squared = (restored - clean).square().mean(dim=(1, 2, 3))
    return (squared + TINY).sqrt().mean()
