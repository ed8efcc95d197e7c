"""What sizes are about and where they come from: axes, tables of shapes, proofs, failures."""
