"""What is captured of a graph and of Keras' calls."""
