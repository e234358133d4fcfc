"""The one training loop, and the few things that it owns: precision, averages and budget."""

from sfumato.training.loop import Observer, check, train

__all__ = ["Observer", "check", "train"]
