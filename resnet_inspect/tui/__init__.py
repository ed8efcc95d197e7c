"""The terminal interface: Textual, and nobody else knows it.

It shows what `analysis` answers and `render` draws, of one run, an `OpenedRun`, or of two.
"""
