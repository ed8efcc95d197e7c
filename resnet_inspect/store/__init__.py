"""One run is one SQLite file; this is the only room that knows SQL."""
