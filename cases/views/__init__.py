"""What others see of a case: its snapshot, needs, search attributes and page. Nothing here changes a case."""
