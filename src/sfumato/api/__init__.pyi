"""Every public name of `sfumato.api`, and which module has it."""

from .comparing import compare as compare
from .comparing import demo as demo
from .damaging import degrade as degrade
from .data import (
    DRAWN as DRAWN,
)
from .data import (
    collect as collect,
)
from .data import (
    inspect as inspect,
)
from .data import (
    prepare as prepare,
)
from .data import (
    preview as preview,
)
from .drawing import (
    Labels as Labels,
)
from .drawing import (
    colours as colours,
)
from .drawing import (
    curves as curves,
)
from .drawing import (
    histograms as histograms,
)
from .drawing import (
    learning as learning,
)
from .drawing import (
    pigments as pigments,
)
from .drawing import (
    scoreboard as scoreboard,
)
from .environment import doctor as doctor
from .evaluating import evaluate as evaluate
from .exploring import KINDS as KINDS
from .exploring import explorable as explorable
from .exploring import explore as explore
from .findings import Measured as Measured
from .findings import measured as measured
from .keeping import (
    Run as Run,
)
from .keeping import (
    copy as copy,
)
from .keeping import (
    examples as examples,
)
from .keeping import (
    list_runs as list_runs,
)
from .keeping import (
    place as place,
)
from .keeping import (
    rename as rename,
)
from .launching import (
    Launch as Launch,
)
from .launching import (
    launches as launches,
)
from .launching import (
    start as start,
)
from .launching import (
    start_again as start_again,
)
from .launching import (
    stop as stop,
)
from .pictures import fitted as fitted
from .quizzing import Mark as Mark
from .quizzing import Question as Question
from .quizzing import Quiz as Quiz
from .quizzing import marks as marks
from .quizzing import quiz as quiz
from .recipes import Preset as Preset
from .recipes import preset as preset
from .recipes import presets as presets
from .restorers import compare_restorers as compare_restorers
from .restoring import (
    FILTERS as FILTERS,
)
from .restoring import (
    STEPS as STEPS,
)
from .restoring import (
    Restoration as Restoration,
)
from .restoring import (
    develop as develop,
)
from .restoring import (
    diagnose as diagnose,
)
from .restoring import (
    restorable as restorable,
)
from .restoring import (
    restore as restore,
)
from .restoring import (
    restore_files as restore_files,
)
from .restoring import (
    upscale as upscale,
)
from .sampling import adjustable as adjustable
from .sampling import quoted as quoted
from .sampling import sample as sample
from .sampling import wished as wished
from .scoring import (
    ImageScore as ImageScore,
)
from .scoring import (
    Measure as Measure,
)
from .scoring import (
    scorable as scorable,
)
from .scoring import (
    score as score,
)
from .scoring import (
    write_scores as write_scores,
)
from .standings import leaderboard as leaderboard
from .training import resume as resume
from .training import train as train
