"""The end of the demo: the review of its own cases (G13)."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from policies import known_policies
from records import Records
from review.making import Wanted, zone_of
from review.period import Period
from review.producing import produce
from review.texts import Words

NAME = "demo"
"""The folder of the review, among the others."""
AHEAD = timedelta(days=90)
"""Each case has skipped time of its own, so they have closed at different times in the future."""


def review(database_url: str, reviews: Path) -> list[str]:
    """Write the review of all cases, and return what it says in three sentences, and where it is."""
    policies = known_policies()
    zone, now = zone_of(policies, None), datetime.now(UTC)
    today = now.astimezone(zone).date()
    wanted = Wanted(Period(today - timedelta(days=7), today + AHEAD, zone), now + AHEAD)
    folder = reviews / NAME
    with closing(Records(database_url)) as records:
        made = produce(records, policies, wanted, folder)
    return [*Words("en", policies).three_sentences(made), f"The whole review: {folder / 'review.en.html'}"]
