"""One run, or two, as a self-contained HTML page: facts, packed numbers, style and script."""
