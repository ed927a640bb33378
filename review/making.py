"""Making a review from our database (G13)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from cases.measure.proposed import MeasureState
from cases.policy.policy import Policy
from messages import FALLBACK
from records import Records, Scope
from records.facts.queries import QUERIES
from review.counting import Rows, count_cases, count_promises
from review.figures import Cases, Funnel, Level, Money, Open, Payback, Promises, Review, Span, Time
from review.measures import in_review
from review.outliers import Compared, Volumes, compared, decisions, points
from review.period import Period
from review.targets import attainment, missed

SHOWN_CASES = 20
"""The ids that a review shows of an outlier's cases."""
Beat = Callable[[int, int], None]
"""Called with the number of rows read so far, and of all; 0 if that is not known yet."""


@dataclass(frozen=True)
class Wanted:
    """What a review is about."""

    period: Period
    now: datetime
    line: str | None = None
    volumes: Volumes = field(default_factory=dict)
    locale: str = FALLBACK
    """The language in which measures are proposed."""

    def scope(self, period: Period | None = None) -> Scope:
        """Return what is counted, in this period or in another one."""
        of = period or self.period
        return Scope(of.since, of.until, self.now, self.line)


def zone_of(policies: Mapping[str, Policy], line: str | None) -> ZoneInfo:
    """Return the time zone of a line; for every line, the one that most of them have."""
    zones = Counter(policy.timezone for name, policy in sorted(policies.items()) if line in (None, name))
    return ZoneInfo(zones.most_common(1)[0][0])


class Reader:
    """Reads the rows of a review, and says how far it has come."""

    def __init__(self, records: Records, beat: Beat = lambda *_: None) -> None:
        self._records = records
        self._beat = beat
        self._done = self._total = 0

    def derive_facts(self) -> None:
        """Write the facts of cases that have none yet. Interrupted, it continues where it was."""
        after = ""
        while (last := self._records.derive_facts(after)) is not None:
            after = last
            self._beat(0, 0)

    def expect(self, rows: int) -> None:
        """Add to the number of rows that will be read."""
        self._total += rows
        self._beat(self._done, self._total)

    def passed(self, parts: Iterable[Sequence[Any]]) -> Rows:
        """Yield the parts, and count their rows."""
        for part in parts:
            yield part
            self._done += len(part)
            self._beat(self._done, max(self._done, self._total))


def make(records: Records, policies: Mapping[str, Policy], wanted: Wanted, reader: Reader | None = None) -> Review:
    """Return the review. Derives missing facts first. Raises `RecordsUnavailable`, or `SealedRecord` without a key."""
    reader = reader or Reader(records)
    reader.derive_facts()
    scope, before = wanted.scope(), wanted.scope(wanted.period.before)
    reader.expect(sum(records.size(each) for each in (scope, before)))

    def named(query: str) -> list[dict[str, Any]]:
        return [dict(row._mapping) for part in records.counted(query, scope) for row in part]  # noqa: SLF001 (public)

    def promises_in(scope: Scope) -> list[Promises]:
        return count_promises(reader.passed(records.counted("due_promises", scope)))

    def cases_in(scope: Scope) -> tuple[list[Cases], list[Time]]:
        return count_cases(reader.passed(records.counted("closed_cases", scope)))

    promises, (cases, times) = promises_in(scope), cases_in(scope)
    promises_before, (cases_before, _) = promises_in(before), cases_in(before)
    known = {line: policy for line, policy in policies.items() if wanted.line in (None, line)}
    attained = attainment(known, (promises, promises_before), (cases, cases_before))
    funnels = [_funnel(records, scope, one) for one in compared(promises, cases, wanted.volumes)]
    money = [Money(remedy=row.pop("kind"), **row) for row in named("money")]
    now, then = _span(wanted.period), _span(wanted.period.before)
    return Review(
        period=now,
        before=then,
        timezone=str(wanted.period.zone),
        line=wanted.line,
        made_at=wanted.now,
        decisions=[*decisions(funnels, partial(records.line_of, scope)), *missed(attained)],
        measures=in_review(records.measures(states=MeasureState), wanted.line, now, then, (promises, cases)),
        attainment=attained,
        promises=promises,
        kept_before=promises_before[0].kept,
        satisfied_before=cases_before[0].satisfied,
        times=times,
        cases=cases,
        money=money,
        payback=[Payback(**row) for row in named("payback")],
        open=[Open(**row) for row in named("open_cases")],
        funnels=funnels,
        queries={name: records.sql(name, scope) for name in QUERIES},
    )


def _span(period: Period) -> Span:
    return Span(first=period.first, last=period.last)


def _funnel(records: Records, scope: Scope, one: Compared) -> Funnel:
    found = one.funnel()
    shown = points(one, found)
    outliers = [point.subject for point in shown if point.level in (Level.ALARM, Level.WATCH)]
    behind = records.cases_behind(scope, one.figure, one.dimension, outliers, SHOWN_CASES) if outliers else {}
    return Funnel(
        dimension=one.dimension,
        figure=one.figure,
        target=found.target,
        phi=found.phi,
        tau2=found.tau2,
        held_back=one.held_back,
        points=[point.model_copy(update={"cases": behind.get(point.subject, [])}) for point in shown],
    )
