"""Reads tensors of a step while it runs: chooses, samples and summarizes them."""
