"""The carrier claim: a separate workflow that continues after its case has closed (B16)."""
