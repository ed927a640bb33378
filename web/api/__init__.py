"""The API for other systems, version 1: `/v1/…`."""

from fastapi import APIRouter

from web.api import messages, reading, starting, webhooks

ROUTERS: tuple[APIRouter, ...] = (starting.router, reading.router, messages.router, webhooks.router)
"""The API's routers, in the order of its documentation."""
