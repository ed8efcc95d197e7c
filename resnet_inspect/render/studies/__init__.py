"""Terminal pages, charts and HTML documents of studies."""
