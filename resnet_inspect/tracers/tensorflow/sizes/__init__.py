"""Origins of sizes: links between axes, formulas in the source, re-traces."""
