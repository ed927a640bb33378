"""Workflows: when things happen. What they mean is in `cases`."""
