"""Drawing and doing: counted randomness, the laws of the presets, replays, refusals in words."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sfumato.data.degradations import (
    NAMES,
    SEVERITIES,
    STEPS,
    TYPES,
    Degrader,
    Draw,
    Pipeline,
    Stage,
    apply,
    describe,
    parse,
    preset,
)
from sfumato.errors import UsageError

ALL = [name for name in NAMES if name != "old-photo"]


@given(seed=st.integers(0, 2**40), name=st.sampled_from([*NAMES, *(f"gray-{name}" for name in ALL)]))
def test_what_was_drawn_is_replayed_from_json_bit_for_bit(seed: int, name: str):
    image = np.random.default_rng(0).integers(0, 256, (17, 12, 3), np.uint8)
    steps = preset(name).steps(seed, "content", 3)
    written = json.loads(json.dumps(describe(steps)))
    assert parse(written, "here") == steps
    damaged = apply(steps, image)
    np.testing.assert_array_equal(apply(parse(written, "here"), image), damaged)
    gray = name.startswith("gray-") or name == "old-photo"
    assert damaged.shape == (17, 12, 1 if gray else 3)
    assert damaged.dtype == np.uint8


def test_steps_are_a_function_of_seed_image_and_epoch():
    pipeline = preset("old-photo")
    assert pipeline.steps(1, "a", 2) == pipeline.steps(1, "a", 2)
    others = [pipeline.steps(2, "a", 2), pipeline.steps(1, "b", 2), pipeline.steps(1, "a", 3)]
    assert all(other != pipeline.steps(1, "a", 2) for other in others)
    assert pipeline.steps(1, 5) != pipeline.steps(1, "5"), "a row is not a name"


@pytest.mark.parametrize("kind", sorted(STEPS))
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (1, 37, 3), (23, 2, 1), (8, 9, 3)])
def test_every_step_works_on_every_shape(kind: str, shape: tuple[int, int, int]):
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    before = image.copy()
    step = next(
        step for seed in range(10_000) for step in preset("old-photo").steps(seed, 0) if step.kind == kind
    )
    damaged = apply([step], image)
    assert damaged.shape == (*shape[:2], 1 if kind == "gray" else shape[2])
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("kind", sorted(set(STEPS) - {"gray"}))
def test_a_harmless_step_does_nothing(kind: str, photo: np.ndarray):
    needed = {"seed": 1, "angle": 30, "sigma_x": 1, "sigma_y": 1, "beta": 1, "width": 1, "period": 5}
    fields = STEPS[kind].model_fields
    values = {name: value for name, value in needed.items() if name in fields} | STEPS[kind].harmless
    damaged = apply([STEPS[kind](**values)], photo)
    # JPEG rounds colours even at quality 100, a plateau has long tails, a photon is a photon
    allowed = {"jpeg": 40, "poisson": 2, "plateau_blur": 1}.get(kind, 0)
    assert np.abs(damaged.astype(int) - photo).max() <= allowed
    np.testing.assert_array_equal(apply([], photo), photo)


def test_old_photo_follows_the_specification():
    count, seen, numbers = 4000, Counter(), {}
    noise = {"gaussian", "salt_and_pepper", "multiplicative", "poisson", "correlated", "structured"}
    blurs = {"isotropic_blur", "anisotropic_blur", "generalised_blur", "plateau_blur"}
    pipeline = preset("old-photo").model_copy(update={"second": 0.0})
    for image in range(count):
        steps = pipeline.steps(0, image)
        kinds = [step.kind for step in steps]
        assert kinds[0] == "gray"
        seen["identity"] += len(kinds) == 1
        seen["blur"] += any(kind in blurs for kind in kinds)
        seen["two noises"] += sum(kind in noise for kind in kinds) == 2
        seen.update(set(kinds))
        for step in steps:
            for name, value in step.model_dump().items():
                numbers.setdefault((step.kind, name), []).append(value)
    # a fifth of a percent is a standard error or less: the bounds are four of them
    shares = {
        "identity": 0.05,
        "fade": 0.95 * 0.4,
        "blur": 0.95 * 0.7,
        "isotropic_blur": 0.95 * 0.7 * 0.45,
        "anisotropic_blur": 0.95 * 0.7 * 0.25,
        "generalised_blur": 0.95 * 0.7 * 0.15,
        "plateau_blur": 0.95 * 0.7 * 0.15,
        "motion_blur": 0.95 * 0.15,
        "down_up": 0.95 * 0.3,
        "two noises": 0.95 * 0.5,
        "gaussian": 0.95 * 1.5 / 6,
        "poisson": 0.95 * 1.5 / 6,
        "jpeg": 0.95 * 0.7,
    }
    for what, share in shares.items():
        error = 4 * np.sqrt(share * (1 - share) / count)
        # two different noises exclude each other, which moves their shares a little
        assert seen[what] / count == pytest.approx(share, abs=error + 0.01), what
    ranges = {
        ("fade", "gamma"): (0.7, 1.5),
        ("fade", "lift"): (0, 0.15),
        ("fade", "contrast"): (0.6, 1),
        ("isotropic_blur", "sigma"): (0.2, 2),
        ("isotropic_blur", "radius"): (3, 10),
        ("generalised_blur", "beta"): (0.5, 4),
        ("motion_blur", "length"): (3, 9),
        ("down_up", "scale"): (0.5, 1),
        ("gaussian", "sigma"): (1, 50),
        ("salt_and_pepper", "density"): (0.005, 0.1),
        ("multiplicative", "sigma"): (0.02, 0.25),
        ("poisson", "scale"): (0.05, 3),
        ("correlated", "sigma"): (5, 35),
        ("correlated", "width"): (0.7, 3),
        ("structured", "amplitude"): (2, 25),
        ("structured", "period"): (2, 32),
        ("structured", "angle"): (-5, 95),
        ("jpeg", "quality"): (20, 95),
    }
    for key, (low, high) in ranges.items():
        span = high - low
        assert low <= min(numbers[key]) < low + 0.03 * span, key
        assert high - 0.03 * span < max(numbers[key]) <= high, key
    assert all(abs(angle) <= 5 or abs(angle - 90) <= 5 for angle in numbers["structured", "angle"])


def test_the_second_pass_is_half_as_strong():
    stage = Stage(draws=(Draw(step="gaussian", ranges={"sigma": (40, 40)}),))
    jpeg = Stage(draws=(Draw(step="jpeg", ranges={"quality": (20, 20)}),))
    once = Stage(draws=(Draw(step="fade", ranges={"gamma": (1.4, 1.4)}),), again=False)
    steps = Pipeline(stages=(once, stage, jpeg), second=1.0).steps(0, 0)
    assert [step.kind for step in steps] == ["fade", "gaussian", "jpeg", "gaussian", "jpeg"]
    values = [step.model_dump() for step in steps]
    assert (values[1]["sigma"], values[3]["sigma"]) == (40, 20)
    assert (values[2]["quality"], values[4]["quality"]) == (20, 60)
    assert values[1]["seed"] != values[3]["seed"]
    share = np.mean([len(preset("mixed").steps(0, row)) > 0 for row in range(500)])
    assert share == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_severities_are_in_order(kind: str, photo: np.ndarray):
    def error(severity: str) -> float:
        pipeline = preset(f"{kind}-{severity}")
        damaged = [apply(pipeline.steps(0, row), photo) for row in range(6)]
        return float(np.mean([np.square(image.astype(float) - photo).mean() for image in damaged]))

    errors = [error(severity) for severity in SEVERITIES]
    assert errors == sorted(errors)
    assert errors[0] > 0
    assert errors[2] > 1.3 * errors[0]


def test_numbers_in_names():
    (step,) = preset("denoise-17.5").steps(0, 0)
    assert step.model_dump()["sigma"] == 17.5
    gray, jpeg = preset("gray-jpeg-40").steps(0, 0)
    assert (gray.kind, jpeg.model_dump()["quality"]) == ("gray", 40)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("old-foto", "did you mean 'old-photo'"),
        ("gray-old-foto", "did you mean"),
        ("denoise-0", "sigma is above 0"),
        ("denoise-101", "at most 100"),
        ("jpeg-0", "whole number from 1 to 100"),
        ("jpeg-40.5", "whole number from 1 to 100"),
        ("", "there is no such preset"),
    ],
)
def test_wrong_names_are_refused(name: str, words: str):
    with pytest.raises(UsageError, match=words):
        preset(name)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"kind": "gausian", "sigma": 5}, "step 1 is called 'gausian', which is unknown; did you mean 'gaus"),
        ({"sigma": 5}, "step 1 is called None"),
        ({"kind": "gaussian", "sigma": -1, "seed": 1}, "sigma = -1: .*greater than or equal to 0"),
        ({"kind": "gaussian", "sigma": 5}, "seed = .*[Ff]ield required"),
        ({"kind": "gaussian", "sigma": "NaN", "seed": 1}, "finite"),
        ({"kind": "gaussian", "sigma": 5, "seed": 1, "mean": 3}, "there is no key 'mean'"),
        ({"kind": "jpeg", "quality": 101}, "quality = 101"),
        ({"kind": "jpeg", "quality": 40.5}, "quality = 40.5"),
        ({"kind": "down_up", "scale": 0.5, "up": "nearest"}, "up = 'nearest'"),
        ("gaussian", "list of objects"),
    ],
)
def test_edited_steps_are_refused(value: object, words: str):
    with pytest.raises(UsageError, match=words) as caught:
        parse([value], "manifest.jsonl, line 3")
    assert "manifest.jsonl, line 3" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"step": "blurr"}, "there is no step 'blurr'"),
        ({"step": "jpeg", "ranges": {"quality": (0, 50)}}, "quality"),
        ({"step": "jpeg", "ranges": {"quality": (50, 20)}}, "smaller one first"),
        ({"step": "jpeg", "ranges": {"qualty": (20, 50)}}, "did you mean 'quality'"),
        ({"step": "gaussian"}, "sigma"),
        ({"step": "down_up", "ranges": {"scale": (0.5, 1)}, "choices": {"up": ("area", "lanczos")}}, "up"),
    ],
)
def test_impossible_laws_are_refused_before_anything_is_drawn(values: dict, words: str):
    with pytest.raises(ValidationError, match=words):
        Draw(**values)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_other_pixels_are_refused(pixels: np.ndarray):
    with pytest.raises(UsageError, match=r"uint8 \[H, W, C\] with 1 or 3 channels"):
        apply([], pixels)


def test_neither_order_nor_company_matters(photo: np.ndarray):
    images = np.stack([photo[:24, :24], photo[30:54, 30:54], photo[60:84, 9:33]])
    degrader = Degrader(preset("old-photo"), seed=5)
    together = degrader.degrade(images, [7, 8, 9], [0, 0, 1])
    alone = degrader.degrade(images[2:], [9], [1])
    assert together.shape == (3, 24, 24, 1)
    np.testing.assert_array_equal(together[2:], alone)
    np.testing.assert_array_equal(together[::-1], degrader.degrade(images[::-1], [9, 8, 7], [1, 0, 0]))
    assert not np.array_equal(alone, degrader.degrade(images[2:], [9], [2]))
    assert (preset("old-photo").channels(3), preset("mixed").channels(3)) == (1, 3)
