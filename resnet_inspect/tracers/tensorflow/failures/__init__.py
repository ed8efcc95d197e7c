"""Calls that refused their arguments: what was expected, what was got, what would serve."""
