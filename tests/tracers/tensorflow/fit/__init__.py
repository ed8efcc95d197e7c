"""Recorded fits and loops: recording must not change the training."""
