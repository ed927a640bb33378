"""Workflows: when things happen. The rules are in `cases`."""
