"""Events of cases for other systems, and the webhooks that they are sent to."""
