"""Measurements of many cases: at once, and one after another for days."""
