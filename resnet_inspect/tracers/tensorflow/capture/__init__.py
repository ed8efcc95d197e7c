"""What TensorFlow built: ops, layers, phases and source lines, as a graph of our own."""
