"""Records all trainings of a program that `run` starts.

Tracks the run files of the program and its child processes, and reports them at its end.
"""
