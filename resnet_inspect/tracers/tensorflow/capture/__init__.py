"""Translates a TensorFlow graph into `graph.Graph`: ops, layers, phases, source lines."""
