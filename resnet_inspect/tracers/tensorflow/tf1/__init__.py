"""Traces functions that build a TensorFlow 1 graph, and runs the graph in a session."""
