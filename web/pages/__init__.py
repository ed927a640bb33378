"""What all pages share: templates, languages and formats, static files, and the look of every component."""

from web.pages import routes, static_files

ROUTERS = (static_files.router, routes.router)
"""Addresses that belong to no page."""
