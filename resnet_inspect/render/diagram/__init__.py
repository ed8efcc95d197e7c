"""Diagrams: written as DOT, laid out by Graphviz, finished as SVG, PNG or PDF."""
