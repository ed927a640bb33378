"""A sandbox in place of real partners: the published HTTP interface, a ledger file, and faults on request."""
