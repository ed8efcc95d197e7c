"""Content of the answer page and the report."""
