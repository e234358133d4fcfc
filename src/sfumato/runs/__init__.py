"""The run directory: the one protocol between training, sampling, evaluation and the faces.

Only this package reads and writes a run's files; everything else looks through `Run`.
"""

from sfumato.runs.finding import as_file, examples, find, list_runs, named, newest_of, place
from sfumato.runs.opening import Opened, check_finished, newest_folder, opened
from sfumato.runs.run import Run, Status

__all__ = [
    "Opened", "Run", "Status", "as_file", "check_finished", "examples", "find", "list_runs", "named",
    "newest_folder", "newest_of", "opened", "place",
]  # fmt: skip
