"""Runs somebody's program in this process as Python itself would.

Owns `sys.argv`, `sys.path[0]`, `__main__`, tracebacks and hooks on imports and child processes;
must not know what is recorded.
"""
