"""Results as terminal tables, pictures and documents. This package only renders results."""
