"""What is read from a step while it runs: points, readings, and how they reach the host."""
