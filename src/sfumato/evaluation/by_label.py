"""Label by label: do images show what they were asked for, and are they then like the real ones that do?"""

from __future__ import annotations

import numpy as np

from sfumato.batch import Condition
from sfumato.evaluation.labels import labels
from sfumato.evaluation.reference import Reference
from sfumato.evaluation.ruler import Ruler
from sfumato.metrics.kernel import kernel_distance
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import wilson

FEWEST = 30
"""Images of a label on either side below which nothing is said of them."""


def obedience(
    images: np.ndarray, asked: Condition, reference: Reference, protocol: Protocol
) -> tuple[dict[str, Score], dict[str, float]]:
    """Ask the ruler's heads whether each image shows the labels that it was drawn with.

    A binary attribute is judged on all images, asked for or not; a category, or a band of a number, on
    those that were asked to show it.

    Args:
        images: Generated, uint8 [N, H, W, C].
        asked: What they were to show.
        reference: The ruler, and the real images that show what can be expected.
        protocol: How the images were made.

    Returns:
        Label to accuracy, and label to the accuracy on held-out real images; empty where the ruler has
        no heads.
    """
    scores: dict[str, Score] = {}
    expected: dict[str, float] = {}
    if not reference.prepared.spec.columns or not isinstance(reference.ruler, Ruler):
        return scores, expected
    seen, seen_real = reference.ruler.predictions(images), reference.ruler.predictions(reference.images)
    truth = reference.prepared.condition(reference.rows)
    for label in labels(reference.prepared.spec):
        right, right_real = label.right(seen, asked), label.right(seen_real, truth)
        if not len(right) or not len(right_real):
            continue
        expected[label.title] = float(right_real.mean())
        low, high = wilson(int(right_real.sum()), len(right_real))
        scores[label.title] = Score(
            metric=f"accuracy[{protocol.backbone}]",
            value=float(right.mean()),
            interval=wilson(int(right.sum()), len(right)),
            n_real=len(right_real),
            n_generated=len(right),
            higher_is_better=True,
            protocol=protocol,
            note=f"real images: {expected[label.title]:.3f} [{low:.3f}, {high:.3f}]",
        )
    return scores, expected


def breakdown(
    features: np.ndarray, asked: Condition, reference: Reference, protocol: Protocol
) -> dict[str, Score]:
    """Hold the images of each label against the real ones of that label.

    Args:
        features: Of the generated images, float32 [N, D].
        asked: What they were to show.
        reference: The real images.
        protocol: How the images were made.

    Returns:
        Label to kernel distance, which stays fair when a label is rare. Both sides hold equally many.
    """
    truth = reference.prepared.condition(reference.rows)
    scores = {}
    for label in labels(reference.prepared.spec):
        real, fake = reference.test[label.shown(truth)], features[label.shown(asked)]
        count = min(len(real), len(fake))
        if count < FEWEST:
            continue
        value, interval = kernel_distance(real[:count], fake[:count])
        scores[label.title] = Score(
            metric=f"KD[{protocol.backbone}]",
            value=value,
            interval=interval,
            n_real=count,
            n_generated=count,
            higher_is_better=False,
            protocol=protocol,
            note=f"images of '{label.title}' alone",
        )
    return scores
