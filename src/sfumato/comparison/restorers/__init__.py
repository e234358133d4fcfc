"""Restorers held against each other on frozen pairs: records, words, pictures."""
