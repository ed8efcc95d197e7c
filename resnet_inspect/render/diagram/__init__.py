"""Diagrams as DOT, laid out by Graphviz, and finished as SVG documents or pictures."""
