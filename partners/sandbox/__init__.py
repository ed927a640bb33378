"""A stand-in for real partners: the published HTTP interface over a ledger file, with faults on request."""
