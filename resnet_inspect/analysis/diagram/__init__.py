"""What a diagram of a network shows: boxes, edges, repeated blocks, shortcuts, marks."""
