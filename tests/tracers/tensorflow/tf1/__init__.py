"""Code for TensorFlow 1."""
