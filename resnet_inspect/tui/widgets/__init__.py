"""Widgets and text helpers that the screens share."""
