"""The tutorial's network: its layers, its recipe, its training."""
