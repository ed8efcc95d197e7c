"""Explains rejected calls: expected sizes, actual sizes, and changes that would work."""
