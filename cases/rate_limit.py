"""A case takes each message only so often, and only as much as it can carry: no loop elsewhere fills or stops it.

Every name has a measure of its own, and only what was applied uses it up: a flood of one message keeps no other out,
and a flood of what is refused anyway keeps out nothing at all.
"""

from datetime import datetime, timedelta

from pydantic import BaseModel

from cases.contract import COMPLAINT_LINKED

AT_ONCE, EVERY = 30, timedelta(seconds=12)
"""Messages of one name at once, and the time after which one more is taken: 300 an hour. People who clear a backlog,
and partners who report each step, stay far below; a loop is there within a second."""

MAX_CARRIED = 1024 * 1024
"""Bytes of JSON that a case may have become, beyond which it takes no more remarks. Temporal carries 2 MiB at most into
another run, or into our records: a case that outgrew that could neither go on nor end."""
MAX_DECIDED = MAX_CARRIED + 256 * 1024
"""The same for decisions: remarks that fill a case must not keep anybody from deciding it."""
REMARKS = ("contact-made", "evidence-received", "assign", "declare-complex", "note", COMPLAINT_LINKED)
LIMITS = {**dict.fromkeys(REMARKS, MAX_CARRIED), **dict.fromkeys(("assess", "propose"), MAX_DECIDED)}
"""Messages that can be repeated at will. Every other one answers, once, what the case asked, and always finds room:
consent, a partner's word, an approval, an acknowledgement."""

Paces = dict[str, datetime]
"""By message: when `AT_ONCE` of it can come at once again. Those for which that is so already may be missing."""


def too_much(paces: Paces, name: str, now: datetime, carried: BaseModel) -> str | None:
    """Return why no more messages `name` are accepted, or None. `carried` is the record that the messages go into.

    The sentences contain no times or sizes, so that every message of a flood gets the same one.
    """
    if after_one_more(paces.get(name), now) is None:
        return (
            f"{name} comes too often: {AT_ONCE} at once are taken, and then one every {EVERY.seconds} seconds; "
            "send it again in a minute, and look for what sends so many"
        )
    limit = LIMITS.get(name)
    if limit is not None and len(carried.model_dump_json().encode()) > limit:
        return (
            f"more than {limit} bytes are kept here already, so {name} is not taken any more: "
            "decide with what there is, and send the rest to a case that follows this one"
        )
    return None


def count(paces: Paces, name: str, now: datetime) -> None:
    """One more of this name was applied; `paces` keeps no name longer than it matters."""
    then = after_one_more(paces.get(name), now) or paces[name]
    for known in [known for known, free_at in paces.items() if free_at <= now]:
        del paces[known]
    paces[name] = then


def after_one_more(free_at: datetime | None, now: datetime, at_once: int = AT_ONCE) -> datetime | None:
    """When `at_once` can come at once again, if one more comes `now`; None: it comes too soon."""
    then = max(free_at or now, now) + EVERY
    return then if then - now <= at_once * EVERY else None
