"""Open runs: their state, trees, recorded tensors and places, and the files written from them."""
