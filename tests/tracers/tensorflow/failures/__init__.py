"""What is said of a network that cannot be built."""
