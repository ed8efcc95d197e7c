"""Receptive fields: which positions of the inputs a position of a layer reads."""
