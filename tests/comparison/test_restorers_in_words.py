"""What is said of restorers made by hand: wins, ties, filters that win, a VAE that is none."""

from __future__ import annotations

import pytest

from sfumato.comparison.records import Difference
from sfumato.comparison.restorers.duels import Side, lead, sides
from sfumato.comparison.restorers.records import Findings
from sfumato.comparison.restorers.words import findings

from .restorers import pairs, restorer, score, training, with_gaps

REAL = score("colourfulness", 38.0)


def said(*those, colour: bool = True) -> tuple[Findings, dict[str, str]]:
    found = findings(those, pairs(colour), REAL if colour else None)
    return found, {one.question: one.answer for one in found.findings}


DAMAGED = restorer("identity", 20.0, 18.0, 0.0, learned=False, ms=0.1)
MEDIAN = restorer("median", 21.0, 17.0, 0.0, learned=False, ms=0.8)
MEAN = restorer("mean_chroma", 21.0, 12.5, 20.0, learned=False, ms=3.0)


def test_a_clear_winner_is_told_although_pictures_differ_more_than_restorers():
    """Single intervals of +-1 dB overlap; the differences on the same pictures do not."""
    best, second = restorer("nafnet", 24.3, 9.8), restorer("pix2pix", 24.0, 10.5)
    low, high = best.scores["psnr_luma"].interval or (0, 0)
    assert high - low > 0.6
    found, answers = said(best, second, DAMAGED, MEDIAN, MEAN)
    assert found.best == "nafnet" and found.sentence.startswith(
        "nafnet both restores and colours best: 24.3 dB"
    )
    assert "nafnet: 24.30 dB" in answers["Who restores best?"]
    assert "+4.30 dB over the damaged ones" in answers["Who restores best?"]
    assert "0.30 dB [0.2" in answers["Who restores best?"] and "level" not in answers["Who restores best?"]
    assert "One mean colour everywhere has 12.50" in answers["Who colours best?"]


def test_a_tie_is_called_one_and_the_cheaper_is_named():
    best = restorer("nafnet", 24.02, ms=40.0, jitter=0.6)
    cheap = restorer("two_stage", 24.0, 13.0, ms=10.0, jitter=0.6)
    found, answers = said(best, cheap, MEDIAN)
    assert "nafnet and two_stage are level" in answers["Who restores best?"]
    assert "two_stage may restore as well: the difference is within the noise" in found.sentence
    assert "two_stage is the cheapest of those that are level with nafnet" in answers["What does it cost?"]


def test_what_is_given_up_for_speed():
    _, answers = said(restorer("nafnet", 24.5, ms=40.0), restorer("two_stage", 23.9, ms=10.0))
    assert "two_stage gives up 0.60 dB and is 4.0 times as fast as nafnet" in answers["What does it cost?"]


def test_one_for_restoring_and_another_for_colouring():
    found, answers = said(restorer("nafnet", 24.5, 11.0, 22.0), restorer("pix2pix", 23.0, 9.0, 37.0), MEAN)
    assert found.sentence.startswith("To restore, take nafnet (24.5 dB")
    assert "to colour, pix2pix (colour difference 9.0" in found.sentence
    assert (
        "about as vivid as the true ones: colourfulness 37 where those have 38"
        in answers["Who colours best?"]
    )


def test_dull_colours_are_called_dull_and_the_more_vivid_is_named():
    _, answers = said(restorer("nafnet", 24.5, 9.0, 20.0), restorer("pix2pix", 23.0, 11.0, 36.0))
    assert "duller than the true ones: colourfulness 20 where those have 38" in answers["Who colours best?"]
    assert "pix2pix comes nearest to them (36)" in answers["Who colours best?"]


def test_no_model_beats_one_mean_colour():
    _, answers = said(restorer("nafnet", 24.5, 14.0), MEDIAN, MEAN)
    assert answers["Who colours best?"].startswith("No model colours better than mean_chroma")


def test_filters_may_win():
    found, answers = said(restorer("vae_unet", 20.5, 13.0), DAMAGED, MEDIAN, MEAN)
    assert found.best == "median", "mean_chroma is a filter that takes part already"
    assert (
        "0.50 dB" in answers["Where does a filter do?"]
        and "above vae_unet" in answers["Where does a filter do?"]
    )
    assert "mean_chroma" not in answers["Who restores best?"]


def test_where_filters_win_is_named():
    model = restorer("nafnet", 24.5, alone={"blur": 27.0, "salt-and-pepper": 28.0})
    median = restorer("median", 21.0, 17.0, 0.0, learned=False, alone={"salt-and-pepper": 31.2, "blur": 25.0})
    still = restorer(
        "identity", 20.0, 18.0, 0.0, learned=False, alone={"blur": 26.0, "salt-and-pepper": 20.0}
    )
    _, answers = said(model, median, still)
    answer = answers["Where does a filter do?"]
    assert "below nafnet" in answer and "Of 6 kinds of damage alone, 3 are better off without it" in answer
    assert "mild salt and pepper (median, 3." in answer and "blur" not in answer
    _, answers = said(model, MEDIAN)
    none = "None of the 6 kinds of damage alone is better off without nafnet."
    assert none in answers["Where does a filter do?"]
    alone = still.model_copy(update={"alone": restorer("identity", 30.0, learned=False).alone})
    _, answers = said(model, MEDIAN, alone)
    assert "(left alone, " in answers["Where does a filter do?"]


def test_filters_do_not_win_by_being_many():
    """Ten filters as good as the model everywhere: the best of ten on eight pictures is not better."""
    model = restorer("nafnet", 24.0, jitter=1.0)
    equal = [restorer("f" * k, 24.0, learned=False, jitter=1.0) for k in range(1, 11)]
    _, answers = said(model, *equal)
    assert "None of the 6 kinds of damage alone" in answers["Where does a filter do?"]


def test_nothing_is_said_of_a_kind_of_damage_by_few_pictures():
    median = restorer("median", 21.0, learned=False, alone={"blur": 40.0})
    few = pairs().model_copy(update={"each": 7})
    answer = findings([restorer("nafnet", 24.0), median], few, REAL).findings
    assert "below nafnet." in str(answer) and "kinds of damage" not in str(answer)


@pytest.mark.parametrize(
    ("spread", "words"), [(0.1, "is a U-Net in all but name"), (6.0, "more than a U-Net")]
)
def test_a_vae_that_does_not_vary_is_called_a_unet(spread: float, words: str):
    vae = restorer("vae_unet", 23.0, about=training("vae_unet", spread=spread, kl=0.02))
    _, answers = said(vae, restorer("nafnet", 24.0))
    assert words in answers["Does the VAE vary?"] and "carries 0.02 nats" in answers["Does the VAE vary?"]
    _, answers = said(restorer("nafnet", 24.0))
    assert "Does the VAE vary?" not in answers


def test_likeness_is_level_where_intervals_overlap():
    those = [restorer("nafnet", 24.0, fd=(20.0, 1.0)), restorer("pix2pix", 23.0, fd=(15.0, 1.0))]
    assert said(*those)[1]["Whose pictures look most real?"].startswith("pix2pix: FD[domain] 15 against 20")
    those[0] = restorer("nafnet", 24.0, fd=(16.0, 1.0))
    assert "are level" in said(*those)[1]["Whose pictures look most real?"]


def test_gray_pictures_have_no_words_about_colour():
    found, answers = said(restorer("nafnet", 24.0), restorer("drunet", 23.0), colour=False)
    assert "Who colours best?" not in answers and "colour" not in found.sentence
    assert found.sentence.startswith("nafnet restores best")


def test_models_are_spoken_of_only_with_three_seeds():
    def seeds(preset: str, values: tuple[float, ...]):
        return [
            restorer(f"{preset}-{k}", psnr, about=training(preset, seed=k)) for k, psnr in enumerate(values)
        ]

    _, answers = said(*seeds("nafnet", (24.0, 24.1)), *seeds("pix2pix", (23.0, 23.1)))
    assert "of the models only with 3 training seeds" in answers["How far does this reach?"]
    # on these pictures the first is surely better; as models they cannot be told apart
    first, second = seeds("nafnet", (24.0, 25.5, 23.1)), seeds("pix2pix", (23.9, 25.0, 22.9))
    _, answers = said(*first, *second)
    assert "How far does this reach?" not in answers and "level" in answers["Who restores best?"]
    gap, (low, high) = lead(Side("nafnet", tuple(first)), Side("pix2pix", tuple(second)), "psnr_luma")
    assert gap == pytest.approx(0.2667, abs=1e-3) and low < 0 < high


def test_a_model_is_one_recipe_and_one_run_of_each_seed():
    def seeds(name: str, *those: int):
        return [restorer(f"{name}-{k}", 24.0, about=training("nafnet", seed=k % 10)) for k in those]

    wide, thin = seeds("wide", 0, 1, 10), seeds("thin", 0, 1, 2)
    values = {one.name: one.name[:4] for one in (*wide, *thin)}
    recipes = [Difference(key="model.width", values=values), Difference(key="seed", values=values)]
    found = sides([*wide, *thin, MEDIAN], recipes)
    assert [(side.name, side.seeds, len(side.runs)) for side in found] == [
        ("nafnet (as in wide-0)", 2, 2), ("nafnet (as in thin-0)", 3, 3), ("median", 0, 1),
    ]  # fmt: skip
    told = findings([*wide, *thin], pairs(), REAL, recipes)
    assert "of the models only with 3 training seeds" in str(told)


def test_gaps_are_paired_and_mean_chroma_is_no_rival_in_brightness():
    bright = restorer("mean_chroma", 25.0, learned=False)
    those = {
        one.name: one for one in with_gaps([restorer("nafnet", 24.3), restorer("pix2pix", 24.0), bright])
    }
    assert those["nafnet"].gaps["psnr_luma"].value == 0 and those["nafnet"].gaps["psnr_luma"].interval is None
    gap = those["pix2pix"].gaps["psnr_luma"]
    assert (
        gap.value == pytest.approx(0.3)
        and gap.interval
        and 0.2 < gap.interval[0] < 0.3 < gap.interval[1] < 0.4
    )
    assert "colourfulness" not in those["nafnet"].gaps


def test_seconds_on_a_busy_machine_are_not_fair():
    quiet, busy = restorer("nafnet", 25.0), restorer("pix2pix", 24.0, about=training("pix2pix", crowded=True))
    said = {one.question: one for one in findings([quiet, busy], pairs(), None).findings}
    fair = said["Had everybody the same chance?"]
    assert fair.names == ["pix2pix"] and "while pix2pix trained" in fair.answer
    assert not any("chance" in one.question for one in findings([quiet], pairs(), None).findings)
