"""The words for constructed contestants."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from scipy.stats import ttest_ind

from sfumato.batch import DataSpec
from sfumato.comparison.records import Contestant, CurvePoint, Difference
from sfumato.comparison.words import advice, verdict, warnings
from sfumato.metrics.score import Protocol, Score, leading

DATA = DataSpec(name="x", height=64, width=64, channels=3, n_train=5000, n_test=500)


def score(value: float, spread: float | None = 1.0, metric: str = "FD[domain]") -> Score:
    interval = None if spread is None else (value - spread, value + spread)
    return Score(
        metric=metric, value=value, interval=interval, n_real=500, n_generated=500,
        higher_is_better=False, protocol=Protocol(backbone="domain"),
    )  # fmt: skip


def curve(*values: float, spread: float = 0.2) -> list[CurvePoint]:
    return [
        CurvePoint(images=k, seconds=k, values={"FD": v}, intervals={"FD": (v - spread, v + spread)})
        for k, v in enumerate(values)
    ]


def contestant(name: str, fd: float, spread: float | None = 1.0, **changes) -> Contestant:
    values = {
        "name": name, "preset": name, "summary": "", "run": f"runs/{name}", "seed": 0,
        "scores": {"fd": score(fd, spread), "kd": score(fd / 10, spread, "KD[domain]")},
        "copies": score(0.0, 0.01), "diversity": score(1.0, 0.05), "attributes": {},
        "images_seen": 1000, "training_seconds": 10.0, "images_per_second": 100.0,
        "sampling_seconds_16": 1.0, "parameters": 1, "parameters_trained": 1, "macs_per_image": 1.0,
        "guided": True, "peak_memory_mb": 1.0, "losses": [], "pictures": {}, "warnings": [],
        "quality": curve(9.0, 6.0, 3.0),
    }  # fmt: skip
    return Contestant(**(values | changes))


def test_a_clear_winner():
    found = verdict([contestant("flow", 10), contestant("vae", 30)])
    assert found.winner == "flow" and found.significant
    assert "flow beats vae: FD[domain] 10 [9, 11] against 30 [29, 31], 3.0 times lower" in found.sentence
    assert "outside the noise" in found.sentence


def test_overlapping_intervals_are_level():
    found = verdict([contestant("flow", 10, 3), contestant("vae", 12, 3)])
    assert found.winner == "flow" and not found.significant
    assert "flow is level with vae" in found.sentence and "may be noise" in found.sentence
    assert "times lower" not in found.sentence


def test_without_intervals_nothing_is_claimed():
    assert not verdict([contestant("flow", 1, None), contestant("vae", 99, None)]).significant


def test_a_ruler_that_fails_its_anchors_decides_nothing():
    ranked = [contestant("flow", 4), contestant("vae", 40)]
    assert verdict(ranked, trustworthy=True).significant
    doubted = verdict(ranked, trustworthy=False)
    assert not doubted.significant
    assert "decide nothing" in doubted.sentence


def test_one_alone():
    found = verdict([contestant("flow", 10)])
    assert "nobody to compare it with" in found.sentence and not found.significant


def test_presets_are_judged_over_their_seeds_as_welch_did():
    first, second = (8.0, 9.0, 8.4), (9.4, 10.5, 9.6)
    runs = [contestant(f"dcgan-{k}", fd, preset="dcgan", seed=k) for k, fd in enumerate(first)]
    runs += [contestant(f"gan_cbam-{k}", fd, preset="gan_cbam", seed=k) for k, fd in enumerate(second)]
    found = verdict(sorted(runs, key=lambda one: leading(one.scores).value))
    expected = ttest_ind(second, first, equal_var=False).confidence_interval()
    assert found.significant and found.winner == "dcgan-0"
    assert "dcgan beats gan_cbam over 3 and 3 training seeds: FD[domain] 8.47 against 9.83" in found.sentence
    assert (
        f"1.4 [{expected.low:.2g}, {expected.high:.2g}], is outside the noise between seeds" in found.sentence
    )
    closer = [
        one.model_copy(update={"scores": one.scores | {"fd": score(leading(one.scores).value - 0.9)}})
        for one in runs[3:]
    ]
    level = verdict(sorted(runs[:3] + closer, key=lambda one: leading(one.scores).value))
    assert not level.significant and "is level with" in level.sentence
    assert "may be the noise between seeds" in level.sentence


def test_models_are_judged_only_with_three_seeds_of_each():
    runs = [contestant("flow", 10), contestant("vae", 30)]
    assert "only with 3 training seeds" in verdict(runs).sentence
    several = [contestant("flow", 10 + k, seed=k) for k in range(3)]
    assert "only with 3 training seeds" not in verdict(several).sentence
    one_each = [contestant(name, 10, seed=k) for k, name in enumerate(("flow", "vae", "dcgan"))]
    assert "only with 3 training seeds" in verdict(one_each).sentence, "three seeds, but one of each model"


def of_preset(preset: str, values: dict[str, float], seeds: Sequence[int] = range(9)) -> list[Contestant]:
    return [contestant(n, v, preset=preset, seed=k) for (n, v), k in zip(values.items(), seeds, strict=False)]


def test_two_recipes_of_one_preset_are_two_models():
    wide = of_preset("flow", {"wide-0": 8.0, "wide-1": 8.2, "wide-2": 8.4})
    thin = of_preset("flow", {"thin-0": 20.0, "thin-1": 20.1, "thin-2": 20.2})
    values = {one.name: "64" if one in wide else "32" for one in (*wide, *thin)}
    differences = [
        Difference(key="model.width", values=values),
        Difference(key="seed", values={one.name: str(one.seed) for one in (*wide, *thin)}),
    ]
    said = verdict([*wide, *thin], differences).sentence
    assert said.startswith("flow (as in wide-0) beats flow (as in thin-0) over 3 and 3 training seeds")
    few = verdict([*wide[:2], *thin[2:]], differences)
    assert "only with 3 training seeds" in few.sentence, "three seeds of flow, but of two recipes"


def test_a_seed_that_was_trained_several_times_counts_once():
    again = of_preset("flow", {"b": 7.0, "a": 8.0, "c": 8.1, "flow-1": 8.2, "flow-2": 8.4}, (0, 0, 0, 1, 2))
    others = of_preset("vae", {"vae-0": 14.0, "vae-1": 14.1, "vae-2": 14.2})
    found = verdict([*again, *others])
    assert "over 3 and 3 training seeds: FD[domain] 8.2 against 14.1" in found.sentence
    assert found.winner == "a", "not the luckiest run of its seed"
    assert "only with 3 training seeds" in verdict([*again[:4], *others]).sentence, "four runs, two seeds"


@pytest.mark.parametrize("value", [0.0, -0.002])
def test_a_score_at_zero_is_not_infinitely_better(value: float):
    """KD is unbiased, so it may be zero or less."""
    first = contestant("flow", 1, scores={"kd": score(value, 0.001, "KD[domain]")})
    second = contestant("vae", 1, scores={"kd": score(0.5, 0.001, "KD[domain]")})
    found = verdict([first, second])
    assert found.significant and "inf" not in found.sentence and "nan" not in found.sentence


def test_few_images_are_ranked_by_kd():
    one = contestant("flow", 1, scores={"kd": score(0.5, 0.1, "KD[domain]")})
    assert leading(one.scores).metric == "KD[domain]"
    assert leading(contestant("flow", 1).scores).metric == "FD[domain]"


def test_warnings():
    assert warnings(contestant("flow", 10)) == []
    copying = contestant("vae", 10, copies=score(0.3, 0.05))
    assert any("30% of its images lie nearer to a training image" in w for w in warnings(copying))
    collapsed = contestant("dcgan", 10, diversity=score(0.4, 0.05))
    assert any("only 40% as much" in w for w in warnings(collapsed))
    worse = contestant("dcgan", 10, quality=curve(9, 3, 5))
    assert any("better earlier" in w for w in warnings(worse))


def test_a_curve_within_its_noise_says_nothing():
    """KD is unbiased: near its floor a snapshot may score 0 or less, and ratios mean nothing."""
    for values in ((0.01, 0.002, -0.0001), (0.01, -0.001, -0.0009), (0.01, -0.001, 0.001)):
        noisy = contestant("flow", 10, quality=curve(*values, spread=0.003))
        assert warnings(noisy) == []
        assert not advice([noisy], DATA, score(5.0)), "neither still improving nor at rest"
    clear = contestant("flow", 10, quality=curve(0.01, -0.001, 0.009, spread=0.003))
    assert any("better earlier" in w for w in warnings(clear))


def said(ranked, data: DataSpec = DATA, floor: float = 5.0) -> str:
    return "\n".join(advice(ranked, data, score(floor)))


def test_advice_follows_from_what_was_found():
    improving = contestant("flow", 10, quality=curve(9, 6, 3))
    assert "flow was still improving" in said([improving])
    flat = contestant("flow", 10, quality=curve(9, 3.1, 3))
    assert "nearly stopped improving" in said([flat]) and "still improving" not in said([flat])
    few = DATA.model_copy(update={"n_train": 300})
    assert "300 training images are few" in said([flat], few) and "are few" not in said([flat])
    assert "data.size=32x32" in said([contestant("flow", 100)]) and "data.size" not in said([flat])
    small = DATA.model_copy(update={"height": 32, "width": 32})
    assert "data.size" not in said([contestant("flow", 100)], small)


def test_advice_on_labels_and_speed():
    lazy = contestant("flow", 10, attributes={"hat": score(0.9, 0.1), "beard": score(0.4, 0.1)})
    assert "`beard` is the label that flow obeys least" in said([lazy])
    assert "sampling.guidance" in said([lazy])
    assert "sampling.guidance" not in said([lazy.model_copy(update={"guided": False})])
    fast = contestant("vae", 20, sampling_seconds_16=0.1)
    assert "vae draws 10 times faster than flow" in said([contestant("flow", 10), fast])
    assert "draws" not in said([fast, contestant("flow", 30)])


def test_seconds_on_a_busy_machine_are_not_fair():
    said = warnings(contestant("flow", 10, crowded=True))
    assert len(said) == 1 and "Other work took part of the processor" in said[0]
    assert not warnings(contestant("flow", 10))
