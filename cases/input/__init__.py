"""Reading input: unambiguous JSON, and models with all of their problems."""
