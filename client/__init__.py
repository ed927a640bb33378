"""Talking to cases from outside: what a command line, a desk and a bench share. Nothing here draws on a terminal."""
