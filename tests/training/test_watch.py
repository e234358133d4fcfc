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
    said = [sentence for _ in range(3 * PINNED_LINES) for sentence in watch.losses(won, 0)]
    assert len(said) == 1 and "always right (100% and 100%" in said[0]
    even = won | {"discriminator/fake_accuracy": 0.8}
    assert not any(watch.losses(even, 0) for _ in range(3 * PINNED_LINES))
    assert sum(len(watch.losses(won, 0)) for _ in range(PINNED_LINES)) == 1, "it may come back"


def test_models_without_a_discriminator_are_left_alone():
    assert not any(Watch(REAL).losses({"unet/loss": 0.1}, 0) for _ in range(100))


def test_samples_that_are_all_alike():
    watch = Watch(REAL)
    alike = (REAL[:1] // 2).repeat(16, axis=0) + np.arange(16, dtype=np.uint8)[:, None, None, None]
    assert watch.samples(alike, 10, 0.05) == [], "too early to tell"
    assert "collapsing" in watch.samples(alike, 100, 0.5)[0]
    assert watch.samples(REAL[:16], 120, 0.6) == []


def test_a_held_out_loss_that_rises_again():
    watch = Watch(REAL)
    said = [watch.validation({"loss": value}, 0) for value in (5, 2, 1, 1.2, 2.2, 2.4, 2.6)]
    assert [bool(s) for s in said] == [False] * 5 + [True, False]
    assert "learn its images by heart" in said[5][0]
    falling = Watch(REAL)
    assert not any(falling.validation({"loss": value}, 0) for value in (-1, -2, -2.5, -2.4, -2.6, -2.55))


def test_what_explodes_is_diverging():
    """A finite explosion ends no run by itself."""
    watch = Watch(REAL)
    values = [*(0.1 + 0.01 * (k % 3) for k in range(20)), 150.0, 1e4, 1e7, 1e9]
    said = [watch.losses({"unet/loss": value}, 10 * k) for k, value in enumerate(values)]
    assert [bool(s) for s in said] == [False] * 22 + [True, False]
    assert "diverging" in said[22][0] and "training.optimizers.unet.lr" in said[22][0]
    assert "The snapshot after 150 images is from before that: --at 150" in watch.diagnosis([20, 150, 230])[0]
    steep = Watch(REAL)
    begins = [1e6, 1e5, 1e3, *[5.0] * 20]
    assert not any(steep.losses({"vae/loss": value}, k) for k, value in enumerate(begins))


def test_a_held_out_loss_that_is_lost():
    watch = Watch(REAL)
    said = [watch.validation({"loss": v}, 10 * k) for k, v in enumerate((1, 0.5, 0.4, 1e6, 1e8))]
    assert [bool(s) for s in said] == [False] * 4 + [True] and "diverging" in said[4][0]
    assert "by heart" not in said[4][0] and "--at 20" in watch.diagnosis([10, 20, 30, 40])[0]


def test_the_diagnosis_is_of_what_still_stands():
    watch = Watch(REAL)
    alike = (REAL[:1] // 2).repeat(16, axis=0)
    watch.samples(REAL[:16], 50, 0.2)
    watch.samples(alike, 100, 0.5)
    watch.samples(alike, 150, 0.7)
    (sentence,) = watch.diagnosis([20, 40, 100])
    assert "collapsing" in sentence and sentence.endswith(
        "after 40 images is from before that: --at 40 takes it."
    )
    assert watch.diagnosis([100])[0].endswith("No snapshot is from before that.")
    watch.samples(REAL[:16], 200, 0.9)
    assert watch.diagnosis([20, 40]) == [], "all is well again"
