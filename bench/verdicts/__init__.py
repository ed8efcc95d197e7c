"""Judges the rules of `check`: planted faults that they must find, healthy networks that they must
leave alone. `python -m bench.verdicts record` trains and records them, `… judge` writes the table
docs/verdicts.md.
"""
