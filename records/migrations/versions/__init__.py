"""One file for each change of the tables, oldest first; what has been released is never edited.

A migration says in its own words what it does: the tables as they are now (`records.tables`) may have moved on.
"""
