"""Starting programs as Python does."""
