"""Stands before the real package where a test must not import it."""

raise ImportError("this TensorFlow is a fake that must not be imported")
