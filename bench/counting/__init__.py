"""What processes, files and histories have cost, as numbers."""
