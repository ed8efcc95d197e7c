"""Training scripts as their users write them, docs/recipes, against Keras and NumPy."""
