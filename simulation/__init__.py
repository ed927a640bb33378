"""A simulated month of complaints, handled by the domain's own code with simulated people and partners."""
