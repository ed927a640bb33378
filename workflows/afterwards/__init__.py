"""Workflows of their own that begin after cases have closed: later calls, and improvement measures."""
