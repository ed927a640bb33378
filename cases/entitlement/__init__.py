"""What may be offered and paid, and by whom it has to be approved. Nothing here changes a case."""
