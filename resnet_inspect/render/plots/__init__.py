"""Distributions and courses as text and as SVG: histograms, ridges, heat maps, lines."""
