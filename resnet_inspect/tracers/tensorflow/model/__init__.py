"""A user's own model or function: how it is found, called, traced and trained."""
