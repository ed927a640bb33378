"""The API for other systems, version 1: `/v1/…`."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
"""The API's routers, in the order of its documentation."""
