"""The tutorial's network: building, training, evaluation and recording."""
