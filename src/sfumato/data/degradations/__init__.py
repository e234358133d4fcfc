"""Damage by lot and by name: every step of the restoration pipeline, drawn, done and replayed."""

from __future__ import annotations

from sfumato.data.degradations.degrader import Degrader
from sfumato.data.degradations.pairs import Pairs, degrade, replay
from sfumato.data.degradations.pipeline import Draw, Pipeline, Stage
from sfumato.data.degradations.presets import NAMES, SEVERITIES, TYPES, preset
from sfumato.data.degradations.step import Step
from sfumato.data.degradations.steps import STEPS, apply, describe, parse

__all__ = [
    "NAMES",
    "SEVERITIES",
    "STEPS",
    "TYPES",
    "Degrader",
    "Draw",
    "Pairs",
    "Pipeline",
    "Stage",
    "Step",
    "apply",
    "degrade",
    "describe",
    "parse",
    "preset",
    "replay",
]
