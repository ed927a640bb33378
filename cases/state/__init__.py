"""What is true of one case: finding, offers, steps, promises, letters. Nothing here decides what happens next."""
