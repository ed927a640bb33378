"""Webhooks for front ends, and what a worker does for them."""
