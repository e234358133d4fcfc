"""Damaged photographs in, better ones out: what is wrong, the methods against it, and what they did."""
