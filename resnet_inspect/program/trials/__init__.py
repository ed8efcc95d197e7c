"""Runs a script with other text in place of its files, to find out whether a repair helps.

Each run is a process of its own, with limits on time and memory, and without effect on the files of
the working folder. Knows neither explanations nor repairs.
"""
