"""The panes of the browse screens."""
