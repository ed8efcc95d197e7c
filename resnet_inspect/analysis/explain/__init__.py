"""Explains a crash: what failed, which two sizes disagree, where each originates, what repairs it.

Pure functions of `graph.crash.Crash`. Knows no framework and runs no user code.
"""
