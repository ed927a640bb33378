"""Views of a case for people and other programs: snapshot, needs, search attributes, page. Nothing changes the case."""
