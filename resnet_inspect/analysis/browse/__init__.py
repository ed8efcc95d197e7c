"""Data of `browse` beyond tables: outline, details, distributions and their course over steps."""
