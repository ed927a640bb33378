"""Benchmarks: the cost and speed of a case, measured on real processes and compared with a minimal Temporal program."""
