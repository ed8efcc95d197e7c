"""Graphs that are built in the manner of TensorFlow 1 and run in a session."""
