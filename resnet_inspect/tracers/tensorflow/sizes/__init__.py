"""Where sizes come from: links between axes, formulas in the source, traces made again."""
