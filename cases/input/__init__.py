"""Reading what comes in: JSON that means the same everywhere, and models with all of their faults."""
