"""Pure functions from what was recorded to answers. No files, no framework, no drawing."""
