"""Tests with real TensorFlow; they are skipped, with the reason, where it is not installed."""
