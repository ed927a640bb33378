"""What the command line is made of: reading input, talking to running cases, and showing them to people."""
