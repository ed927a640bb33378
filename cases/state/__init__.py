"""The state of one case: finding, offers, steps, promises, letters. Nothing here decides what happens next."""
