"""The terminal interface, the only package that imports Textual.

It shows the results of `analysis`, drawn by `render`, for one run or for two compared runs.
"""
