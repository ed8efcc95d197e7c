"""Differences between two runs A and B, computed by pure functions from recorded data."""
