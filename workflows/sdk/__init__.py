"""Helpers around Temporal's SDK: activity calls, message handlers, options, and changes to the SDK's behaviour."""
