"""Fourteen networks: what Keras reports about them, and the comparison with their runs."""
