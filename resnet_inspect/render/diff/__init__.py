"""Texts and tables about the differences between two runs."""
