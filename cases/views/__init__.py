"""What others see of a case: snapshot, needs, search attributes, page. Nothing here changes a case."""
