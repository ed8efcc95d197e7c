"""The pages that compare two runs."""
