"""Improvement measures (G13): proposed by a review, adopted by a person, and pursued until they are done or dropped."""
