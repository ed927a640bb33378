"""The workflow of periodic reviews (G13)."""
