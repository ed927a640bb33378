"""The carrier claim: a process of its own that outlives its case (B16)."""
