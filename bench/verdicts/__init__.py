"""Tests the rules of `check` on trainings with an injected fault and on healthy trainings.

`python -m bench.verdicts record` trains and records the cases, `… judge` applies the rules and
writes docs/how_it_works/verdicts.md.
"""
