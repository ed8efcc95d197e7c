"""The page about programs with shape errors: what the explanations and repairs of each name."""
