"""Holding runs against each other: the records of a comparison, its pictures and its words."""
