"""A study's page, its charts and its document."""
