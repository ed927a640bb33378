"""The HTTP server: the API for other systems, and pages for people. Reaches cases only through `client/`."""
