"""A run as one page that opens from disk: its facts, its numbers, its style and its script."""
