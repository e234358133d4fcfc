"""The one training loop, and the few things that it owns: precision, averages and budget."""

from sfumato.training.check import check, check_damage
from sfumato.training.loop import Observer, train

__all__ = ["Observer", "check", "check_damage", "train"]
