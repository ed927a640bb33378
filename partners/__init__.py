"""Partners: the ports that the engine uses, the HTTP client behind them, and a sandbox in place of real partners."""
