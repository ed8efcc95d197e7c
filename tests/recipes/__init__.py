"""Compares recordings of the training scripts in docs/recipes with Keras and NumPy."""
