"""A user's own training: Keras' `fit` and loops, observed while they run."""
