"""The one training loop, and the few things that it owns: precision, averages, budget, ranks."""

from sfumato.training.loop import Observer, check, check_damage, train

__all__ = ["Observer", "check", "check_damage", "train"]
