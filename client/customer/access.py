"""From a token to a case, and what has to be known beside the token to decide about money.

AfterSalesError
├── DeadLink        the token opens no case
├── WrongDigits     the last digits of the phone number are others
└── TooManyTries    no answer is accepted for a time
"""

import hmac
from datetime import datetime
from typing import Literal

from cases.errors import AfterSalesError
from cases.views.snapshot import Snapshot
from client.cases import Engine
from client.errors import NoSuchCase
from client.store import Store

DIGITS = 4
"""How many of the last digits of a phone number have to be known."""


class DeadLink(AfterSalesError):
    """The token opens no case."""

    def __init__(self, why: Literal["unknown", "expired", "revoked"]) -> None:
        self.why = why
        super().__init__(f"the link is {why}")


class WrongDigits(AfterSalesError):
    """The last digits of the phone number are others."""


class TooManyTries(AfterSalesError):
    """No answer is accepted before `until`."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"no answer is accepted before {until.isoformat()}")


async def case_of(store: Store, token: str, now: datetime) -> str:
    """Return the id of the case that a token opens. Raises `DeadLink` and `NoDatabase`."""
    link = await store.run(lambda records: records.link(token))
    if link is None or link.purpose != "case":
        raise DeadLink("unknown")
    if link.revoked_at is not None:
        raise DeadLink("revoked")
    if link.expires_at <= now:
        raise DeadLink("expired")
    return link.case_id


async def snapshot_of(engine: Engine, store: Store, case_id: str) -> Snapshot:
    """Return the case as it is now, or its final state from our database if Temporal has deleted it.

    Raises `Unreachable` if no worker answers, and `NoSuchCase`.
    """
    try:
        return await engine.snapshot(case_id)
    except NoSuchCase:
        row = await store.run(lambda records: records.case(case_id))
        if row is None or row["record"] is None:
            raise
        return Snapshot.model_validate(row["record"])


def last_digits(phone: str | None) -> str | None:
    """Return the last digits of a phone number; None if it has too few."""
    digits = "".join(char for char in phone or "" if char.isascii() and char.isdigit())
    return digits[-DIGITS:] if len(digits) >= DIGITS else None


async def check_digits(store: Store, case_id: str, expected: str, given: str, now: datetime) -> None:
    """Raise `WrongDigits`, or `TooManyTries` if somebody seems to guess. A right answer begins the count again."""
    until = await store.run(lambda records: records.begin_try(case_id, now))
    if until is not None:
        raise TooManyTries(until)
    if not hmac.compare_digest(expected.encode(), given.strip().encode(errors="replace")):
        raise WrongDigits
    await store.run(lambda records: records.forget_tries(case_id))
