"""Recognizes what went wrong: one module for each kind of failure, tried in order."""
