"""A fake that is imported before the real package, which a test must not import."""

raise ImportError("this TensorFlow is a fake that must not be imported")
