"""Policies as data: promises, remedies, amounts and conditions. Nothing here is about a single case."""
