"""The command line: a parser, one module per command, and exit codes of errors."""
