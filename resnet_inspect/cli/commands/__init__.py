"""One module a command: HELP, `configure` for its flags, `run` for its wiring."""
