"""What the answer page and the report say of a run."""
