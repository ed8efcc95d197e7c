"""One module a command: `configure` adds its flags, `run` runs it."""
