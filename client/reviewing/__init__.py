"""Schedules of periodic reviews (G13)."""
