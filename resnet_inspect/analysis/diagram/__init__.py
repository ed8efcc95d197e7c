"""Content of a network diagram: boxes, edges, repeated blocks, shortcuts, marks."""
