"""How a case handles messages, signals from other cases, and moves to another policy."""
