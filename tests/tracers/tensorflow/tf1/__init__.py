"""Tests of TensorFlow 1 code."""
