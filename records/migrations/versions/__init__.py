"""One file for each change of the tables, oldest first. Released files are never edited.

A migration does not import `records.tables`, because the tables may have changed since.
"""
