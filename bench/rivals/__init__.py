"""The damage-replaced case on other engines for durable execution, for `python -m bench compare --rival`."""
