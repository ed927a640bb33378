"""Make and revoke links by hand, for operators and demonstrations. Letters have links of their own."""

from datetime import UTC, datetime

from client.archive import records_of
from client.errors import NoSuchCase
from client.lists import NoDatabase
from settings import CUSTOMER_PAGE, WEB_ADDRESS, Settings


def make(settings: Settings, case_id: str, by: str) -> str:
    """Return another link to the page of a case. Raises `NoDatabase` and `NoSuchCase`.

    Without a public address in the `settings`, it is for the web server on this machine.
    """
    with records_of(settings.database_url) as records:
        from records.links import new_token  # noqa: PLC0415 (the database library is slow to load)

        if records is None:
            raise _no_database()
        if records.case(case_id) is None:
            raise NoSuchCase(f"our database has no case {case_id}")
        token = new_token()
        records.add_link(token, case_id, by, datetime.now(UTC))
    return (settings.public_url or f"http://{WEB_ADDRESS}") + CUSTOMER_PAGE + token


def revoke(settings: Settings, case_id: str) -> int:
    """Revoke all links of a case, also those in letters. Return how many worked until now. Raises `NoDatabase`."""
    with records_of(settings.database_url) as records:
        if records is None:
            raise _no_database()
        return records.revoke_links(case_id, datetime.now(UTC))


def _no_database() -> NoDatabase:
    return NoDatabase("our database does not exist yet: a worker creates it")
