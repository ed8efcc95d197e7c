"""Following a whole program."""
