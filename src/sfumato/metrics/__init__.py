"""Metrics on features and on pixels: pure functions that never see a model."""
