"""The desk: pages for the people who handle cases, `/desk/…`."""

from web.desk import cases, log_in, office, worklist

ROUTERS = (log_in.router, worklist.router, office.router, cases.router)
"""The desk's routers."""
