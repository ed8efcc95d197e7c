"""The command line: a parser, one thin file per command, and errors turned into exit codes."""
