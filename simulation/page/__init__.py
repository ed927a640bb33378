"""The pages of a simulation, in every language."""
