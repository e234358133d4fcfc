"""What a person reads: a page or slides of a comparison, a page of restorers, the standings of many runs."""

from sfumato.report.restorers import write_restorers
from sfumato.report.slides import write_slides
from sfumato.report.standings import write_standings
from sfumato.report.writer import write

__all__ = ["write", "write_restorers", "write_slides", "write_standings"]
