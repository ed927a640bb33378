"""Who has a case open at the moment: known to this process only, because it is a courtesy and no lock."""

from datetime import datetime, timedelta

from cases.text import same_name

EXPIRES = timedelta(seconds=45)
"""How long a person counts as present after their page last reported, which it does every 20 seconds."""
MAX_CASES = 5_000


class Presence:
    """The people at each case."""

    def __init__(self) -> None:
        self._there: dict[str, dict[str, datetime]] = {}

    def others(self, case_id: str, name: str, now: datetime) -> list[str]:
        """Note that a person is at a case, and return who else is."""
        if len(self._there) >= MAX_CASES:
            self._there = {case: people for case, people in self._there.items() if now - max(people.values()) < EXPIRES}
        there = {who: at for who, at in self._there.get(case_id, {}).items() if now - at < EXPIRES}
        self._there[case_id] = there | {name: now}
        return sorted(who for who in there if same_name(who) != same_name(name))


present = Presence()
