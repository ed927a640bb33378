"""What the workflows use of the SDK in their own way: calls of activities, handlers, and what is changed in it."""
