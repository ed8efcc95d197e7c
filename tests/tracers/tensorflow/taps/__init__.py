"""What taps compute, against NumPy."""
