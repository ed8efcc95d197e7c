"""Tests of the explanations of rejected calls."""
