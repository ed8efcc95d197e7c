"""Multiply-accumulates of ops, and sizes as multiples of an unknown batch."""
