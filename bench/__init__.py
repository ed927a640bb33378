"""What a case costs and how fast it is, measured on the real processes beside the plainest Temporal program."""
