"""Reads and writes run files. A run is one SQLite file; only this package uses SQL."""
