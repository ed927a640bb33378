"""The domain: what the rulebook says, and nothing else. No framework, no clock, no input or output."""
