"""One module a rule; see `judge`."""
