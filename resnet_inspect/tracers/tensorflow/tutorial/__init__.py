"""The tutorial's network: its layers, its training recipe and its training loop."""
