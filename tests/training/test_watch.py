from __future__ import annotations

import numpy as np

from sfumato.training.watch import PINNED_LINES, Watch, variety

REAL = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 3)).astype(np.uint8)


def test_variety_is_the_distance_between_two_images():
    pair = np.stack([np.full((4, 4, 1), 10, np.uint8), np.full((4, 4, 1), 40, np.uint8)])
    assert variety(pair) == 30 and variety(pair[:1]) == 0


def test_a_discriminator_that_has_won_is_named_once():
    watch = Watch(REAL)
    won = {"discriminator/real_accuracy": 0.995, "discriminator/fake_accuracy": 1.0, "generator/loss": 9.0}
    said = [sentence for _ in range(3 * PINNED_LINES) for sentence in watch.losses(won)]
    assert len(said) == 1 and "always right (100% and 100%" in said[0]
    even = won | {"discriminator/fake_accuracy": 0.8}
    assert not any(watch.losses(even) for _ in range(3 * PINNED_LINES))
    assert sum(len(watch.losses(won)) for _ in range(PINNED_LINES)) == 1, "it may come back"


def test_models_without_a_discriminator_are_left_alone():
    assert not any(Watch(REAL).losses({"unet/loss": 0.1}) for _ in range(100))


def test_samples_that_are_all_alike():
    watch = Watch(REAL)
    alike = (REAL[:1] // 2).repeat(16, axis=0) + np.arange(16, dtype=np.uint8)[:, None, None, None]
    assert watch.samples(alike, 0.05) == [], "too early to tell"
    assert "collapsing" in watch.samples(alike, 0.5)[0]
    assert watch.samples(REAL[:16], 0.6) == []


def test_a_held_out_loss_that_rises_again():
    watch = Watch(REAL)
    said = [watch.validation({"loss": value}) for value in (5, 2, 1, 1.2, 2.2, 2.4, 2.6)]
    assert [bool(s) for s in said] == [False] * 5 + [True, False]
    assert "learn its images by heart" in said[5][0]
    falling = Watch(REAL)
    assert not any(falling.validation({"loss": value}) for value in (-1, -2, -2.5, -2.4, -2.6, -2.55))
