"""Features of Inception-v3 on the CPU: ours against torch-fidelity as shipped, in images/s.

Both see the same random tiles of 32x32 pixels, and the same weights: the published ones where
SFUMATO_INCEPTION_WEIGHTS names them or the cache holds them, else seeded ones of the same layout, and the
result says which. The Fréchet distance between two halves of the images must be the same by both.

Required: 1.5 times its images/s, the distance equal to 1e-5 relative. Prints one JSON line.

OMP_NUM_THREADS=1 python benchmarks/inception.py --images 64
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from _timing import Turn, compared, interleave
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchvision.models import inception_v3

from sfumato.errors import UsageError
from sfumato.evaluation.backbones import open_extractor
from sfumato.evaluation.inception import PUBLISHED
from sfumato.metrics.frechet import frechet_distance
from sfumato.published import find_weights

RATIO, AGREEMENT = 1.5, 1e-5
THEIR_BATCH = 64  # what torch-fidelity's calculate_metrics takes where nobody says otherwise


def weights_at_hand(folder: Path) -> tuple[Path, str]:
    """Return a file of weights, and what they are."""
    try:
        return find_weights(PUBLISHED).path, "published"
    except UsageError:
        seed = torch.Generator().manual_seed(0)
        network = inception_v3(aux_logits=False, num_classes=1008, init_weights=False)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=seed)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.get_buffer("running_mean"), 0, 0.1, generator=seed)
                nn.init.uniform_(module.get_buffer("running_var"), 0.5, 2, generator=seed)
        torch.save(network.state_dict(), folder / "seeded.pth")
        return folder / "seeded.pth", "seeded, of the same layout"


def as_shipped(network: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return torch-fidelity's features, taken in its own batches."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(images), THEIR_BATCH):
            batch = torch.from_numpy(images[start : start + THEIR_BATCH]).permute(0, 3, 1, 2)
            parts.append(network(batch.contiguous())[0].numpy())
    return np.concatenate(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    tiles = np.random.default_rng(0).integers(0, 256, (options.images, 8, 8, 3), np.uint8)
    tiles[::2] //= 2  # the other half is brighter
    images = tiles.repeat(4, axis=1).repeat(4, axis=2)
    with tempfile.TemporaryDirectory() as folder:
        path, which = weights_at_hand(Path(folder))
        ours = open_extractor("inception", path, device=torch.device("cpu"))
        theirs = FeatureExtractorInceptionV3("theirs", ["2048"], feature_extractor_weights_path=str(path))
    features: dict[str, np.ndarray] = {}

    def turn(name: str) -> Turn:
        def work() -> int:
            features[name] = ours.features(images) if name == "ours" else as_shipped(theirs, images)
            return len(images)

        return work

    rates = interleave({name: turn(name) for name in ("ours", "theirs")}, options.rounds, ours.device)
    ratio = compared(rates["ours"], rates["theirs"])
    distances = {name: frechet_distance(found[::2], found[1::2]) for name, found in features.items()}
    difference = abs(distances["ours"] / distances["theirs"] - 1)
    result = {
        "benchmark": "inception",
        "weights": which,
        "images": options.images,
        "rounds": options.rounds,
        "threads": torch.get_num_threads(),
        "ours_images_per_second": [round(rate, 2) for rate in rates["ours"]],
        "theirs_images_per_second": [round(rate, 2) for rate in rates["theirs"]],
        "ratio": ratio.ratio,
        "quartiles": ratio.quartiles,
        "distance": distances["ours"],
        "relative_difference": difference,
        "largest_feature_difference": float(
            np.abs(features["ours"] - features["theirs"]).max() / np.abs(features["theirs"]).max()
        ),
        "required": {"ratio": RATIO, "relative_difference": AGREEMENT},
        "passed": ratio.ratio >= RATIO and difference <= AGREEMENT,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
