"""Tests of the capture of graphs, Keras layers and training settings."""
