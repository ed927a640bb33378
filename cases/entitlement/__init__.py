"""What can be offered and paid, and who has to approve it. Nothing here changes a case."""
