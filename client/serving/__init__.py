"""For programs that serve others, and keep a connection to Temporal and our database open for that."""
