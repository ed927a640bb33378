"""The domain: the rules of the rulebook. Nothing here uses a framework, reads a clock, or does input or output."""
