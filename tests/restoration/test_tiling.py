"""Tiles give what the whole gives, or fail aloud."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sfumato.errors import SfumatoError, UsageError
from sfumato.restoration.tiling import tiled


def network(scale: int = 1) -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(1, 4, 5, padding=2), nn.ReLU()]
    for _ in range(4):
        layers += [nn.Conv2d(4, 4, 5, padding=2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(4, scale**2, 3, padding=1), nn.PixelShuffle(scale)).eval()


@pytest.mark.parametrize(
    ("height", "width", "scale"),
    [(768, 1024, 1), (333, 517, 1), (40, 700, 1), (300, 291, 2), (7, 3, 1), (1, 2000, 1)],
)
def test_tiled_is_whole(height: int, width: int, scale: int):
    net, image = network(scale), torch.rand(1, height, width)
    with torch.inference_mode():
        whole = net(image[None])[0]
    spread = float(whole.max() - whole.min()) or 1.0
    found = tiled(net, image, tile=200, overlap=32, scale=scale)
    assert found.shape == (1, height * scale, width * scale)
    assert float((found - whole).abs().max()) / spread < 0.1 / 255, "2/255 is allowed"


def test_too_little_overlap_is_seen():
    net, image = network(), torch.rand(1, 300, 300)
    with torch.inference_mode():
        whole = net(image[None])[0]
    difference = (tiled(net, image, tile=100, overlap=1) - whole).abs().max() / (whole.max() - whole.min())
    assert float(difference) > 0.5 / 255, "else the test above could not fail"


def test_sides_are_multiples_and_the_padding_is_a_reflection():
    seen = []

    def function(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(tile.shape[2:]))
        assert tile.shape[2] % 8 == tile.shape[3] % 8 == 0
        return tile

    image = torch.rand(3, 5, 333)
    assert torch.allclose(tiled(function, image, tile=128, multiple=8), image)
    assert len(set(seen)) == 1, "tiles of equal size"
    dot = torch.full((1, 1, 1), 0.25)
    assert tiled(function, dot, multiple=8).tolist() == [[[0.25]]], "one pixel has only itself to reflect"


@pytest.mark.parametrize(("height", "width", "multiple"), [(333, 517, 8), (200, 168, 16), (129, 128, 6)])
def test_tiles_begin_at_multiples(height: int, width: int, multiple: int):
    """A network with strides knows where in its grid a pixel lies; a tile must not move it there."""

    def function(tile: torch.Tensor) -> torch.Tensor:
        grid = torch.arange(tile.shape[2])[:, None] % multiple + torch.arange(tile.shape[3]) % multiple
        return tile + grid

    image = torch.rand(1, height, width)
    found = tiled(function, image, tile=110, overlap=30, multiple=multiple)
    assert torch.allclose(found, function(image[None])[0], atol=1e-5)


@pytest.mark.parametrize(("length", "count", "side"), [(3000, 4, 810), (4000, 5, 864), (1024, 1, 1024)])
def test_tiles_overlap_no_more_than_they_must(length: int, count: int, side: int):
    seen = []

    def function(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tile.shape[2])
        return tile

    image = torch.rand(1, length, 100)
    assert torch.allclose(tiled(function, image, tile=1024, overlap=32), image)
    assert seen == [side] * count, f"{count} tiles of 1024 or less need {side} pixels each"


def test_memory_that_runs_out_halves_the_tile():
    sizes = []

    def function(tile: torch.Tensor) -> torch.Tensor:
        sizes.append(tile.shape[2])
        if tile.shape[2] > 150:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return tile * 2

    image = torch.rand(1, 600, 600)
    assert torch.allclose(tiled(function, image, tile=512), image * 2)
    assert sizes[:3] == [340, 254, 128], "none longer than 512, 256, 128"
    with pytest.raises(SfumatoError, match="memory does not suffice"):
        tiled(never, image)


def never(tile: torch.Tensor) -> torch.Tensor:
    raise MemoryError


def test_a_failure_is_raised_and_never_pasted_over():
    def poisoned(tile: torch.Tensor) -> torch.Tensor:
        return tile / 0 * 0 if tile[0, 0, 0, 0] > 0.5 else tile

    image = torch.zeros(1, 400, 400)
    image[:, :, 200:] = 1
    with pytest.raises(SfumatoError, match="NaN"):
        tiled(poisoned, image, tile=128)
    with pytest.raises(SfumatoError, match="does not keep sizes"):
        tiled(lambda tile: tile[..., :-1], image, tile=128)
    with pytest.raises(ZeroDivisionError):
        tiled(lambda tile: tile * (1 // 0), image)
    with pytest.raises(UsageError, match="at least"):
        tiled(lambda tile: tile, image, tile=64)
