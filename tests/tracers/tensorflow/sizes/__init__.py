"""Tests of the origins of sizes."""
