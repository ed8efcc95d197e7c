"""Runs the user's program in this process as Python would.

Owns `sys.argv`, `sys.path[0]`, `__main__`, tracebacks and hooks on imports and child processes.
Must not know what is recorded.
"""
