"""What `browse` shows beside the tables: outline, details, courses over steps, distributions."""
