"""The periodic review (G13): what cases teach, where to act, and whether the targets are met.

Its figures come from our database alone (`records.facts`). Nothing here knows Temporal or a terminal.
"""
