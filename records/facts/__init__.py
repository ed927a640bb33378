"""The facts that reviews count (G13): their tables, how a case writes them, and the queries."""
