"""What is different between two runs. Pure functions of what both hold; A is the first run."""
