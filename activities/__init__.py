"""Activities: a command becomes a call of a port, its outcome a value or an error that says what may be done next."""
