"""What happens after cases have closed: later calls, measures, and forgetting a person."""
