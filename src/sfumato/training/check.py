"""What cannot work is refused before any work starts."""

from __future__ import annotations

from collections.abc import Sequence

from sfumato.batch import DataSpec
from sfumato.errors import UsageError
from sfumato.models.base import Model, RestorationModel, UpscalingModel
from sfumato.recipe import Recipe
from sfumato.training.state import optimizer_settings


def check(recipe: Recipe, model: Model, data: DataSpec, world: int) -> Sequence[str]:
    """Refuse what cannot work before any work starts, and have the model get ready.

    Args:
        recipe: The recipe, with its budget.
        model: The model that it builds.
        data: The facts about the data.
        world: Processes that will train together.

    Returns:
        What the model says of it.

    Raises:
        UsageError: If there is no budget, the batch is larger than the data or cannot be shared, an
            optimizer has no group, or something that the model needs is missing.
    """
    config = recipe.training
    optimizer_settings(model, config.optimizers)
    if config.images is None and config.seconds is None:
        raise UsageError("the recipe has no budget: set --budget 3m, --images N or --epochs N.")
    if config.batch_size > data.n_train:
        raise UsageError(
            f"training.batch_size {config.batch_size}: there are only {data.n_train} training images; choose "
            f"{max(data.n_train // 2 * 2, 2)} or less."
        )
    parts = world * config.micro_batches
    if config.batch_size % parts or config.batch_size // parts < 2:
        raise UsageError(
            f"training.batch_size {config.batch_size} cannot be split evenly into {parts} parts of at "
            f"least 2 images ({world} processes x {config.micro_batches} micro-batches); the "
            f"nearest is {max(round(config.batch_size / parts), 2) * parts}."
        )
    return model.ready()


def check_damage(recipe: Recipe, kind: type[Model], data: DataSpec) -> None:
    """Refuse a restorer without damage, damage without a restorer, and crops that do not suit.

    Args:
        recipe: The recipe.
        kind: The class of its model, which cannot be built without damage.
        data: The facts about the data.

    Raises:
        UsageError: Naming the value, the rule and the fix.
    """
    restores = issubclass(kind, RestorationModel)
    if restores != (recipe.degradation is not None):
        wrong = "does not restore images" if recipe.degradation else "restores images"
        fix = "null" if recipe.degradation else "old-photo, or another preset of `sfumato degrade`"
        raise UsageError(
            f"degradation is {recipe.degradation or 'empty'}, and a {recipe.preset} {wrong}: set it to {fix}."
        )
    crop, side = recipe.training.crop, min(data.height, data.width)
    if crop is not None and not issubclass(kind, RestorationModel | UpscalingModel):
        raise UsageError(
            f"training.crop = {crop}: a {recipe.preset} learns whole images, for it is to make whole ones; "
            "leave it empty and choose data.size."
        )
    if recipe.training.turns and not issubclass(kind, RestorationModel | UpscalingModel):
        raise UsageError(
            "training.turns = True: only squares that restorers cut from images are turned; set "
            "training.turns=false."
        )
    if crop is not None and crop > side:
        raise UsageError(
            f"training.crop = {crop}: the images are {data.height}x{data.width}; choose at most {side}, or a "
            "larger data.size."
        )
