"""What is known of the runs that are open: their parts, outlines, documents and places."""
