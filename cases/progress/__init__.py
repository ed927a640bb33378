"""How a case goes on when partners answer, letters arrive and time passes. Nothing here waits or calls anybody."""
