"""The parts of the command line: reading input, sending messages to cases, and printing the answers."""
