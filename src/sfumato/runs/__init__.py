"""The run directory: the one protocol between training, sampling, evaluation and the faces.

Only this package reads and writes a run's files; everything else looks through `Run`.
"""

from sfumato.runs.run import Run, Status, find, list_runs

__all__ = ["Run", "Status", "find", "list_runs"]
