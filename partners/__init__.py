"""Partners: the ports the engine knows, the HTTP client behind them, and a sandbox that stands in for real ones."""
