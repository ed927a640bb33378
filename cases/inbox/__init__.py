"""What a case does with what it receives: messages, other cases, another policy."""
