"""Recorded fits and loops: training stays the same, and the run tells of it."""
