"""The comparison report: one self-contained page, with the same records as JSON and CSV beside it."""

from sfumato.report.writer import write

__all__ = ["write"]
