"""One function per verb of the command line. They return plain objects and print nothing."""

from sfumato.api.comparing import compare, demo
from sfumato.api.damaging import degrade
from sfumato.api.data import DRAWN, collect, inspect, prepare, preview
from sfumato.api.drawing import Labels, colours, curves, histograms, learning, pigments, scoreboard
from sfumato.api.environment import doctor
from sfumato.api.evaluating import evaluate
from sfumato.api.exploring import explorable, explore
from sfumato.api.keeping import copy, list_runs, place, rename
from sfumato.api.launching import Launch, launches, start, start_again, stop
from sfumato.api.measured import Measured, measured
from sfumato.api.pictures import fitted
from sfumato.api.quizzing import Mark, Question, Quiz, marks, quiz
from sfumato.api.recipes import Preset, preset, presets
from sfumato.api.restorers import compare_restorers
from sfumato.api.restoring import (
    FILTERS,
    develop,
    diagnose,
    restorable,
    restore,
    restore_files,
    upscale,
)
from sfumato.api.sampling import adjustable, sample
from sfumato.api.scoring import ImageScore, Measure, scorable, score, write_scores
from sfumato.api.standings import leaderboard
from sfumato.api.training import resume, train
from sfumato.exploration.kinds import KINDS
from sfumato.restoration.diagnose import STEPS
from sfumato.runs import Run, examples

__all__ = [
    "DRAWN",
    "FILTERS",
    "KINDS",
    "ImageScore",
    "Labels",
    "Launch",
    "Mark",
    "Measure",
    "Measured",
    "Preset",
    "Question",
    "Quiz",
    "STEPS",
    "Run",
    "adjustable",
    "collect",
    "colours",
    "compare",
    "compare_restorers",
    "copy",
    "curves",
    "degrade",
    "demo",
    "develop",
    "diagnose",
    "doctor",
    "evaluate",
    "examples",
    "explorable",
    "explore",
    "fitted",
    "histograms",
    "inspect",
    "launches",
    "leaderboard",
    "learning",
    "list_runs",
    "marks",
    "measured",
    "pigments",
    "place",
    "prepare",
    "preset",
    "presets",
    "preview",
    "quiz",
    "rename",
    "restorable",
    "restore",
    "restore_files",
    "resume",
    "sample",
    "scorable",
    "score",
    "scoreboard",
    "start",
    "start_again",
    "stop",
    "train",
    "upscale",
    "write_scores",
]
