"""The catalogue of repairs: one module per kind, each with `suggest(case, problem, sides)`.

A repair changes spans of the user's source and nothing else of its formatting. Whether it works is
not known here: `resnet-inspect fix` runs the patched program.
"""
