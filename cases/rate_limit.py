"""Rate and size limits of a case, so that a loop in another program can neither fill nor stop it.

Each message name has a separate rate limit, so that a flood of one message does not block the others. Only applied
messages count: a flood of refused messages uses nothing up.
"""

from datetime import datetime, timedelta

from pydantic import BaseModel

from cases.contract import COMPLAINT_LINKED

AT_ONCE, EVERY = 30, timedelta(seconds=12)
"""The largest burst of messages of one name, and the interval at which one more is accepted: 300 an hour. People who
clear a backlog and partners who report each step stay far below this. A loop reaches it within a second."""

MAX_CARRIED = 1024 * 1024
"""The size of a case, in bytes of JSON, above which it accepts no more remarks. Temporal limits the input of a
continued run and of an activity to 2 MiB: a larger case could neither continue nor end."""
MAX_DECIDED = MAX_CARRIED + 256 * 1024
"""The same limit for decisions. It is higher, so that a case full of remarks can still be decided."""
REMARKS = ("contact-made", "evidence-received", "assign", "declare-complex", "note", COMPLAINT_LINKED)
LIMITS = {**dict.fromkeys(REMARKS, MAX_CARRIED), **dict.fromkeys(("assess", "propose"), MAX_DECIDED)}
"""The size limit for each message that can be repeated at will. The others have none, because each answers one request
of the case: a consent, a partner's report, an approval, an acknowledgement."""

Paces = dict[str, datetime]
"""For each message name, when a full burst of `AT_ONCE` is available again. Names for which it already is may be
missing."""


def too_much(paces: Paces, name: str, now: datetime, carried: BaseModel) -> str | None:
    """Return why no more messages `name` are accepted, or None. `carried` is the record that the messages go into.

    The sentences contain no times or sizes, so that every message of a flood gets the same one.
    """
    if after_one_more(paces.get(name), now) is None:
        return (
            f"{name} comes too often: at most {AT_ONCE} at once are accepted, then one every {EVERY.seconds} seconds; "
            "send it again in a minute, and find out what sends so many"
        )
    limit = LIMITS.get(name)
    if limit is not None and len(carried.model_dump_json().encode()) > limit:
        return (
            f"more than {limit} bytes are kept here already, so {name} is no longer accepted: "
            "decide with the data that is here, and send the rest to a case that follows this one"
        )
    return None


def count(paces: Paces, name: str, now: datetime) -> None:
    """Count one more applied message of this name. Names that have a full burst available again are removed."""
    then = after_one_more(paces.get(name), now) or paces[name]
    for known in [known for known, free_at in paces.items() if free_at <= now]:
        del paces[known]
    paces[name] = then


def after_one_more(
    free_at: datetime | None, now: datetime, at_once: int = AT_ONCE, every: timedelta = EVERY
) -> datetime | None:
    """Return when a full burst is available again after one more message `now`, or None if it comes too soon."""
    then = max(free_at or now, now) + every
    return then if then - now <= at_once * every else None
