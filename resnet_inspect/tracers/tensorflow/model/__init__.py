"""Finds, calls, traces and trains the user's model or function."""
