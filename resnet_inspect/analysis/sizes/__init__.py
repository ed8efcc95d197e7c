"""Sizes and their origins: meanings of axes, shape tables, effects of settings, shape errors."""
