"""Configuration: overriding, building, explaining; and row 17, bad values for every key of every recipe."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.config import Config, build, explain, override, parse_duration
from sfumato.errors import UsageError
from sfumato.models.flow import FlowConfig
from sfumato.recipe import OptimizerConfig, Recipe, TrainingConfig, lookup, presets
from sfumato.runs.run import to_yaml

PRESETS = [entry.name for entry in presets()]
KEYS = [(name, field.key) for name in PRESETS for field in explain(lookup(name).recipe())]
FREE_TEXT = {"summary", "data.labels"}
MAY_BE_NEGATIVE = {"model.time_mean"}
BAD = {
    "mapping": "{a: 1}",
    "list of words": "[a, [b]]",
    "negative": "-1",
    "huge negative": "-1.0e+300",
    "huge": "1" + "0" * 30,
    "huge float": "1.0e+300",
    "nan": ".nan",
    "infinity": ".inf",
}


@pytest.mark.parametrize(("preset", "key"), KEYS, ids=[f"{p}-{k}" for p, k in KEYS])
def test_every_key_refuses_what_it_cannot_be(preset: str, key: str):
    recipe = lookup(preset).recipe()
    for kind, value in BAD.items():
        if kind == "negative" and key in MAY_BE_NEGATIVE:
            continue
        with pytest.raises(UsageError, match=re.escape(key)) as error:
            override(recipe, [f"{key}={value}"])
            pytest.fail(f"{kind}: {key}={value} was accepted")
        message = str(error.value)
        assert message.startswith("--set: ") and "\n" not in message, "one sentence"
    if key not in FREE_TEXT:
        with pytest.raises(UsageError, match=re.escape(key)):
            override(recipe, [f"{key}=some words"])


@pytest.mark.parametrize(("preset", "key"), KEYS, ids=[f"{p}-{k}" for p, k in KEYS])
def test_every_key_has_a_meaning_and_accepts_its_own_value(preset: str, key: str):
    recipe = lookup(preset).recipe()
    field = next(f for f in explain(recipe) if f.key == key)
    assert len(field.help) > 8 and field.help[-1] in ".)", f"{key} has no docstring"
    if isinstance(field.value, dict | str):
        return
    value = {None: "null"}.get(
        field.value, list(field.value) if isinstance(field.value, tuple) else field.value
    )
    assert override(recipe, [f"{key}={value}"]) == recipe


@pytest.mark.parametrize(("preset", "key"), KEYS, ids=[f"{p}-{k}" for p, k in KEYS])
def test_a_misspelt_key_names_the_nearest(preset: str, key: str):
    wrong = key[:-1] + key[-1] * 2
    with pytest.raises(UsageError, match=f"no key '{wrong}'; (did you mean|choose from).*{re.escape(key)}"):
        override(lookup(preset).recipe(), [f"{wrong}=1"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_recipe_survives_yaml(preset: str):
    import yaml

    recipe = lookup(preset).recipe()
    assert build(Recipe, yaml.safe_load(to_yaml(recipe)), "x") == recipe
    assert recipe.preset == preset and recipe.summary


# --------------------------------------------------------------------- override


def test_override_reaches_every_depth():
    recipe = lookup("flow").recipe()
    group = next(iter(recipe.training.optimizers))
    changed: Any = override(
        recipe,
        ["seed=7", "model.width=64", f"training.optimizers.{group}.lr=1e-4", "data.size=96x128",
         "model.multipliers=[1, 3]", "training.compile=true", "data.flip=null", " sampling.steps = 5"],
    )  # fmt: skip
    assert changed.seed == 7 and changed.model.width == 64
    assert changed.training.optimizers[group].lr == 1e-4
    assert changed.data.size == (96, 128) and changed.data.flip is None
    assert changed.model.multipliers == (1, 3) and changed.training.compile is True
    assert changed.sampling.steps == 5
    assert recipe == lookup("flow").recipe(), "the original is frozen"


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("model.width", "write KEY=VALUE"),
        ("=3", "no key ''"),
        ("model=3", "'model' is a group of keys"),
        ("model.width.x=3", "goes too deep; the key is 'model.width'"),
        ("model.width=[1", "not valid YAML"),
        ("training.optimizers.nobody.lr=1", "no key 'training.optimizers.nobody.lr'"),
        ("modell.width=1", "did you mean 'model'"),
        ("preset=vae", "preset = 'vae'"),
        ("preset=flwo", "did you mean 'flow'?"),
        ("schema_version=2", "schema_version = 2"),
        ("model.multipliers=[]", "model.multipliers"),
        ("model.multipliers=[0, 1]", "model.multipliers"),
        ("model.width=60", "multiple of 8"),
        ("data.size=4x64", "data.size"),
        ("data.size=64x64x64", "data.size"),
        ("data.background=[0, 0, 256]", "data.background"),
        ("training.batch_size=1", "greater than or equal to 2"),
        ("training.batch_size=3.5", "training.batch_size"),
        ("training.optimizers.unet.betas=[0.9, 1.0]", "training.optimizers.unet.betas"),
    ],
)
def test_what_override_refuses(assignment: str, words: str):
    with pytest.raises(UsageError) as error:
        override(lookup("flow").recipe(), [assignment])
    assert words in str(error.value) and error.value.exit_code == 2


# --------------------------------------------------------------------- build


def test_build_names_source_key_and_neighbour():
    with pytest.raises(UsageError, match=r"recipe.yaml: there is no key 'widht'; did you mean 'width'"):
        build(FlowConfig, {"widht": 3}, "recipe.yaml")
    with pytest.raises(UsageError, match=r"x: width = 'wide'"):
        build(FlowConfig, {"width": "wide"}, "x")
    with pytest.raises(UsageError, match=r"[^.?]([.]|[?])$"):
        build(FlowConfig, {"width": "wide"}, "x")
    values = {"preset": "flow", "model": {}, "training": {"batchsize": 3}}
    with pytest.raises(UsageError, match="no key 'training.batchsize'; did you mean 'training.batch_size'"):
        build(Recipe, values, "x")
    with pytest.raises(UsageError, match="no key 'widht'; did you mean 'width'"):
        build(Recipe, {"preset": "flow", "model": {"widht": 1}}, "x")
    with pytest.raises(UsageError, match="no preset 'flwo'; did you mean 'flow'"):
        build(Recipe, {"preset": "flwo", "model": {}}, "x")


@pytest.mark.parametrize("values", [None, 3, "text", [1], {}])
def test_build_refuses_what_is_no_mapping(values):
    with pytest.raises(UsageError, match="^x: "):
        build(Recipe, values, "x")


def test_configurations_are_frozen_and_strict():
    from pydantic import ValidationError

    config = OptimizerConfig()
    with pytest.raises(ValidationError):
        config.lr = 3.0  # type: ignore[misc]
    for bad in (math.nan, math.inf, -1, 0):
        with pytest.raises(ValidationError):
            OptimizerConfig(lr=bad)
    assert {f.key for f in explain(TrainingConfig(optimizers={"g": config}))} >= {"optimizers.g.lr", "keep"}


def test_every_configuration_field_is_documented():
    def walk(kind: type[Config]):
        for sub in kind.__subclasses__():
            yield sub
            yield from walk(sub)

    chosen = {
        kind for kind in walk(Config) if kind.__module__.startswith(("sfumato.models", "sfumato.recipe"))
    }
    assert chosen
    for kind in chosen:
        for name, info in kind.model_fields.items():
            assert info.description, f"{kind.__name__}.{name}"


# --------------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("180s", 180),
        ("3m", 180),
        ("2h", 7200),
        ("1.5h", 5400),
        ("1d", 86400),
        ("90", 90),
        (90, 90),
        (0.5, 0.5),
        (" 5 m ", 300),
    ],
)
def test_durations(text, seconds: float):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0s",
        "-3m",
        "3x",
        "m",
        "nan",
        "inf",
        "1e9",
        "3 m s",
        "367d",
        "9" * 400,
        -1,
        math.nan,
        math.inf,
    ],
)
def test_impossible_durations_are_refused(text):
    with pytest.raises(UsageError, match=r"budget '.*': a duration is a number above 0.*180s, 3m or 2h"):
        parse_duration(text)
