"""Activities: each calls a port and returns its answer, or raises an error that states whether a retry is safe."""
