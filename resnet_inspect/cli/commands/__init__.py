"""One module per command.

Each has `configure`, which adds the options, `run`, and for --help `DESCRIPTION` (sentences after
the first, or empty), `EXAMPLES` (command lines) and `EXITS` (exit codes with their meanings).
"""
