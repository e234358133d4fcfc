"""What is to be done to a photograph, and with which tools, before any of it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from pydantic import Field

from sfumato.config import Config
from sfumato.errors import UsageError, nearest
from sfumato.recipe import presets
from sfumato.restoration.classical import METHODS
from sfumato.restoration.diagnose import STEPS, Diagnosis
from sfumato.restoration.learned import Learned
from sfumato.restoration.method import Method
from sfumato.restoration.upscale import USUAL, upscaler
from sfumato.runs import find, newest_of

AUTOMATIC = ("destripe", "deblock", "denoise")
"""What `auto` may do by itself: each has a check. Tones, colours, sharpness and size are for a person."""

CHOSEN_HERE = ("auto", "classical")
"""Methods that take the steps which are proposed."""
ENLARGING = ("x2", "x4")
"""Steps that change the size, and happen only where they are asked for."""
SHIPPED, COLOURIST = "example:denoiser", "example:two_stage"
"""What the method `auto` takes noise and blocks with, and what it colours with if it is asked to."""

_NO_COLOURISER = (
    "colours cannot be restored, only invented by a network that has seen many photographs, and this method "
    "is none. Take --method auto, example:vae_unet, example:pix2pix, example:two_stage or a run of yours, or "
    "leave out 'colour' (and --colour)."
)

Tools = Mapping[str, Method]
"""The method for a step, where it is not the usual one."""


class Settings(Config):
    """What a person may choose."""

    method: str = "auto"
    """auto (the steps that help, each checked), classical (those proposed, by filters, unchecked), a
    filter's name, a trained run's name or path, or a preset's name: the newest run of it, or else the one
    that comes along."""
    steps: tuple[str, ...] | None = None
    """Steps to take; empty: chosen from the diagnosis, or all that the method is for."""
    strength: float = Field(default=1.0, ge=0, le=1)
    """How far to go from the input to the result, colours included."""
    keep_grain: float = Field(default=0.3, ge=0, le=1)
    """Share of the removed noise that is given back, so that skin does not look like plastic; not where
    blocks or stripes went with it."""
    colour: float | None = Field(default=None, ge=0, le=1)
    """How strongly to colour, times `strength`. Empty: fully where the method colours. Steps that are named
    have to hold `colour` then."""
    recolour: bool = False
    """Treat the colours of a colour photograph too, not its brightness alone."""
    self_ensemble: bool = False
    """Ask a network about eight views of the photograph and take the mean: better and eight times slower."""


@dataclass(frozen=True)
class Pass:
    """One piece of work."""

    steps: tuple[str, ...]
    """What it is for: one step, or several that a network takes at once."""
    reason: str
    checked: bool
    """Whether a failed check leaves it out."""
    tool: Method | None = None
    """What does it; None: the usual filter for the step, with measured parameters."""


def tools_of(settings: Settings, device: torch.device | str = "cpu") -> Tools:
    """Return the tools for what a person chose, and refuse what cannot be before any work starts.

    Args:
        settings: What was chosen.
        device: Where a network computes.

    Raises:
        UsageError: Naming the setting and the rule.
    """
    steps = settings.steps or ()
    for step in steps:
        if step not in STEPS:
            raise UsageError(f"--steps {step}: {nearest(step, STEPS)}")
    tools = _named(settings, device)
    if "colour" not in tools and _colours(settings):
        raise UsageError(f"--steps colour: {_NO_COLOURISER}")
    if settings.colour is not None and steps and "colour" not in steps:
        raise UsageError(
            f"--colour {settings.colour:g} with --steps {','.join(steps)}: only the steps that are named are "
            f"taken; add colour to --steps ({','.join(steps)},colour), or leave out --colour."
        )
    if settings.method not in CHOSEN_HERE and steps and not set(tools) & set(steps):
        raise UsageError(
            f"--method {settings.method} is for the step {', '.join(tools)}, which --steps "
            f"{','.join(steps)} does not hold."
        )
    way = "lanczos" if settings.method == "classical" else USUAL
    larger = {
        step: upscaler(way, int(step[1]), device, settings.self_ensemble and way == USUAL)
        for step in ENLARGING
        if step in steps
    }
    return {**tools, **larger}


def _named(settings: Settings, device: torch.device | str) -> Tools:
    """Return the tools that a method's name stands for."""
    method = settings.method
    if settings.self_ensemble and method in ("classical", *METHODS):
        raise UsageError(
            f"--self-ensemble with --method {method}: filters answer every view alike; name a run, or auto."
        )
    if method == "classical":
        return {}
    if method in METHODS:
        tool = METHODS[method]()
        return {tool.against: tool}
    try:
        found = find(SHIPPED) if method == "auto" else newest_of(method) or find(method)
    except UsageError as error:
        if any(entry.name == method for entry in presets()):
            raise UsageError(
                f"method '{method}': a preset of which there is no trained run yet; train one with "
                f"`sfumato train {method} --data photographs/`."
            ) from None
        known = nearest(method, [*METHODS, *CHOSEN_HERE])
        end = "" if known.endswith("?") else "."
        raise UsageError(f"method '{method}': neither a filter nor a run; {known}{end} Or: {error}") from None
    learned = Learned.open(found, device, settings.self_ensemble)
    tools = dict.fromkeys(learned.steps, learned)
    if method == "auto" and _colours(settings):
        tools["colour"] = Learned.open(find(COLOURIST), device)
    return tools


def _colours(settings: Settings) -> bool:
    """Return whether a person asked for colours."""
    return settings.colour is not None or "colour" in (settings.steps or ())


def plan(settings: Settings, found: Diagnosis, tools: Tools) -> list[Pass]:
    """Return what is to be done, in the order of `STEPS`.

    `auto` leaves blocks without noise to the filter: where a picture has fine grain the network that comes
    along takes it with the blocks (docs/restore.md). With noise it is the other way round.
    """
    proposed = {proposal.step: proposal.reason for proposal in found.proposals}
    chosen_here = settings.method in CHOSEN_HERE
    if settings.steps is not None:
        wanted = [step for step in STEPS if step in settings.steps]
    elif chosen_here:
        automatic = [*AUTOMATIC, "colour"] if _colours(settings) else AUTOMATIC
        wanted = [step for step in STEPS if step in automatic and (step in proposed or step == "colour")]
    else:
        wanted = [step for step in STEPS if step in tools]
    if settings.method == "auto" and "denoise" not in wanted:
        tools = {step: tool for step, tool in tools.items() if step != "deblock"}
    checked = settings.method == "auto" and settings.steps is None
    passes: list[list[str]] = []
    for step in wanted:
        if joined := _joins(step, passes, tools):
            joined.append(step)
        else:
            passes.append([step])
    made = []
    for steps in passes:
        reasons = dict.fromkeys(proposed.get(step, "asked for") for step in steps)
        left_out = checked or steps == ["colour"]
        made.append(Pass(tuple(steps), "; ".join(reasons), left_out, tools.get(steps[0])))
    return made


def _joins(step: str, passes: list[list[str]], tools: Tools) -> list[str] | None:
    """Return the pass of a network that takes this step as well; colours are found by themselves."""
    if step == "colour" or not isinstance(tools.get(step), Learned):
        return None
    return next(
        (steps for steps in passes if tools.get(steps[0]) is tools[step] and steps[0] != "colour"), None
    )
