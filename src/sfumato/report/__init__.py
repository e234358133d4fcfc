"""What a person reads: a self-contained page or slides of a comparison, and the standings of many runs."""

from sfumato.report.slides import write_slides
from sfumato.report.standings import write_standings
from sfumato.report.writer import write

__all__ = ["write", "write_slides", "write_standings"]
