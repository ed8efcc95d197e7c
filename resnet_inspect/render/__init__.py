"""Answers as terminal tables, pictures and documents. Decides nothing, computes nothing new."""
