"""Pure functions that compute facts from recorded data. No files, no framework, no rendering."""
