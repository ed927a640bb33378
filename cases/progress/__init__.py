"""How a case continues when partners answer, letters are delivered and time passes. Nothing here waits or calls out."""
