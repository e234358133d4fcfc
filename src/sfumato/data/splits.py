"""Decide which images are held out: by content, and never with a twin on the other side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sfumato.data.sources.source import Split
from sfumato.errors import UsageError


@dataclass(frozen=True)
class Division:
    """Train and test, as index arrays in an order that content decides."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    """Any prefix of either is a random sample: nothing is sorted by class or name."""
    twins: int
    """Training images left out because the set's own test split holds a near-duplicate."""


def divide(
    hashes: Sequence[str],
    own: Sequence[Split | None],
    groups: NDArray[np.int64],
    test_fraction: float | None,
    limit: int | None,
) -> Division:
    """Split the images.

    A set that has a test split of its own keeps it, and training images that are near-duplicates of
    it are left out. Otherwise a whole group goes to one side, chosen by the lowest content hash in
    it, so the same image falls on the same side in any folder and at any size.

    Args:
        hashes: Each image's content hash, hexadecimal.
        own: Each image's side in the set's own split, None where it has none.
        groups: Each image's group of near-duplicates.
        test_fraction: Share of groups that are held out, in (0, 1); None: see `held_out_share`.
        limit: At most this many training images, those with the lowest hashes; None: all.

    Raises:
        UsageError: If one side would be empty.
    """
    share = held_out_share(len(hashes)) if test_fraction is None else test_fraction
    position = np.array([_fraction(text, "order") for text in hashes])
    sides = np.array([side or "" for side in own])
    if "test" in sides and "train" in sides:
        test = (sides == "test") | ((sides == "") & _chosen(hashes, groups, share))
        twin = ~test & np.isin(groups, groups[test])
    else:
        test = _chosen(hashes, groups, share)
        twin = np.zeros(len(test), bool)
    train = ~test & ~twin
    if not train.any() or not test.any():
        raise UsageError(
            f"{len(hashes)} images are all near-duplicates of each other, and one side of the split "
            "would be empty; at least 2 different images are needed."
        )
    order = np.argsort(position, kind="stable")
    trained, tested = order[train[order]], order[test[order]]
    return Division(trained[:limit], tested, int(twin.sum()))


def held_out_share(images: int) -> float:
    """Return a tenth, or what it takes to hold out 500 of a small set, but at most 30%.

    Below 400 held-out images a Frechet distance is mostly bias and is not given.
    """
    return min(max(0.1, 500 / images), 0.3)


def _chosen(hashes: Sequence[str], groups: NDArray[np.int64], test_fraction: float) -> NDArray[np.bool_]:
    """Choose whole groups by the lowest hash in each; at least one, and not all."""
    speaker: dict[int, str] = {}
    for group, text in zip(groups.tolist(), hashes, strict=True):
        speaker[group] = min(speaker.get(group, text), text)
    # Not the lowest fraction in a group, or large groups would be held out more often.
    keys = {group: _fraction(text, "split") for group, text in speaker.items()}
    held_out = {group for group, key in keys.items() if key < test_fraction}
    if not held_out:
        held_out = {min(keys, key=keys.__getitem__)}
    elif len(held_out) == len(keys):
        held_out.discard(max(keys, key=keys.__getitem__))
    return np.array([group in held_out for group in groups.tolist()], bool)


def _fraction(text: str, purpose: str) -> float:
    """Turn a content hash into a number in [0, 1), another one for each purpose."""
    digest = hashlib.blake2b(f"{purpose}:{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
