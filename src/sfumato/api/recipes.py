"""The recipes that can be trained, and what each of their fields means."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from typing import Literal

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.config import Field, explain
from sfumato.models.base import FeatureModel, GenerativeModel, Model, RestorationModel, UpscalingModel
from sfumato.models.own import preset_name
from sfumato.recipe import Entry, Recipe, lookup
from sfumato.recipe import presets as registered

Task = Literal["generate", "restore", "enlarge", "measure"]

TASKS: dict[type[Model], Task] = {
    GenerativeModel: "generate",
    RestorationModel: "restore",
    UpscalingModel: "enlarge",
    FeatureModel: "measure",
}
"""What each family of models is for."""


@dataclass(frozen=True)
class Preset:
    """A recipe under its name."""

    name: str
    recipe: Recipe
    about: str
    """What its file says of the model: what it is, and the papers."""
    task: Task
    """What its model is for."""

    @property
    def generates(self) -> bool:
        """Whether it draws images."""
        return self.task == "generate"

    @property
    def summary(self) -> str:
        """The recipe in a line."""
        return self.recipe.summary

    @property
    def fields(self) -> list[Field]:
        """Every key of the recipe with its value and its meaning."""
        return list(explain(self.recipe))


def presets() -> list[Preset]:
    """Return every recipe, in the order of the models' page.

    Example:
        >>> import sfumato as sf
        >>> "flow" in [preset.name for preset in sf.presets()]
        True
    """
    return [_preset(entry) for entry in registered()]


def preset(name: str) -> Preset:
    """Return one recipe.

    Args:
        name: A preset's name, or a Python file of your own that registers a model.

    Raises:
        UsageError: Naming the nearest names.

    Example:
        >>> import sfumato as sf
        >>> sf.preset("flow").fields[0].key
        'preset'
    """
    return _preset(lookup(preset_name(name)))


def _preset(entry: Entry) -> Preset:
    about = inspect.cleandoc(sys.modules[entry.model.__module__].__doc__ or "")
    family = next(family for family in TASKS if issubclass(entry.model, family))
    return Preset(entry.name, entry.recipe(), about, TASKS[family])
