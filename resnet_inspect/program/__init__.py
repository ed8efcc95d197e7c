"""Records the trainings of a whole program: `run` lets it start, and this room follows it.

Owns which run files a program has, also those of its child processes, and what is said at its end.
"""
