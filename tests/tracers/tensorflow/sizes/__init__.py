"""Where sizes come from."""
