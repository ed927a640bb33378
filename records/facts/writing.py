"""Facts are written together with the row of their case, and only if they have changed."""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert
from sqlalchemy.dialects import postgresql, sqlite

from cases.views.facts import RULES, Facts, facts_of
from records.facts.tables import case_facts, promise_facts

BY_THESE_RULES = f"{RULES}:"
"""What the digest of facts begins with that the current rules have derived."""


def write_facts(connection: Connection, snapshot: Mapping[str, Any]) -> None:
    """Write the facts in a snapshot (decoded JSON). Unchanged facts cost one statement."""
    facts = facts_of(snapshot)
    if facts is None:
        return
    row = {**facts.case._asdict(), "digest": _digest(facts)}
    if connection.scalar(_CHANGED[connection.dialect.name], row) is None:
        return
    case_id = facts.case.case_id
    connection.execute(_FORGET, {"of_case": case_id})
    promises = [
        {"case_id": case_id, "number": number, **promise._asdict()} for number, promise in enumerate(facts.promises)
    ]
    if promises:
        connection.execute(insert(promise_facts), promises)


def _digest(facts: Facts) -> str:
    text = json.dumps(facts, default=str)
    return BY_THESE_RULES + blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def _upsert(new: Any, table: Table) -> Any:
    """Return the statement that writes the row of a case and returns its id, if its digest differs."""
    changed = {each.name: new.excluded[each.name] for each in table.c if each.name != "case_id"}
    differs = table.c.digest != new.excluded.digest
    return new.on_conflict_do_update(index_elements=["case_id"], set_=changed, where=differs).returning(table.c.case_id)


_CHANGED = {
    "postgresql": _upsert(postgresql.insert(case_facts), case_facts),
    "sqlite": _upsert(sqlite.insert(case_facts), case_facts),
}
_FORGET = delete(promise_facts).where(promise_facts.c.case_id == bindparam("of_case"))
