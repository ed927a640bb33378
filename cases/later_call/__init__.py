"""The later call (G13): some time after a case has closed, an agent asks the customer how the product serves."""
