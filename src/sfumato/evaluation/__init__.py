"""Measuring trained models: a ruler, a reference, and scores that carry their protocol."""
