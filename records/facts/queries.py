"""The queries of a review (G13). Each figure of a review names the one that it was counted from.

Two populations are counted: *cases that closed* in a period, and *promises that fell due* in it, also those of open
cases. So each case and each promise counts in one period only, and early and late promises have the same chance to
count. A void promise does not count: nothing was owed any more.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, and_, case, exists, func, select, type_coerce

from cases.views.facts import Fault
from cases.vocabulary import PromiseState
from records.facts.tables import case_facts, promise_facts
from records.tables import IS_OPEN, EntryState, UtcTime, case_projection, claims, entries

PLACES = ("carrier", "route", "warehouse", "crew", "product")
"""What handled the order."""
DIMENSIONS = ("line", "topic", "channel", "team", "owner", "party", "cause", *PLACES)
"""What cases are counted by."""

_case, _promise = case_facts.c, promise_facts.c
_dimensions = [_case[name] for name in DIMENSIONS]


@dataclass(frozen=True)
class Scope:
    """What a review is about."""

    since: datetime
    until: datetime
    """The first moment that no longer counts."""
    as_of: datetime
    """Promises that fall due later are not counted yet."""
    line: str | None = None
    """None: every line."""

    def closed(self) -> ColumnElement[bool]:
        """Return the condition for cases that closed in the period."""
        return and_(_case.closed_at >= self.since, _case.closed_at < self.until, *self._of_line())

    def due(self) -> ColumnElement[bool]:
        """Return the condition for promises that fell due in the period."""
        until = min(self.until, self.as_of)
        owed = _promise.state != PromiseState.VOID
        return and_(_promise.due_at >= self.since, _promise.due_at < until, owed, *self._of_line())

    def _of_line(self) -> tuple[ColumnElement[bool], ...]:
        return () if self.line is None else (_case.line == self.line,)


def closed_cases(scope: Scope) -> Select[Any]:
    """Cases that closed: what they are counted by, how they ended, and seconds from receipt."""
    earlier = case_facts.alias("earlier")
    same_order = (earlier.c.order_id == _case.order_id, earlier.c.received_at < _case.received_at)
    return select(
        *_dimensions,
        _case.outcome,
        _case.score,
        _case.follows,
        _case.cycles,
        exists().where(*same_order).label("repeats"),
        _case.to_acknowledge,
        _case.to_offer,
        _case.to_resolve,
    ).where(scope.closed())


def due_promises(scope: Scope) -> Select[Any]:
    """Promises that fell due: what their cases are counted by, and `kept`, or why not. An open one is broken by now."""
    kept = _promise.state == PromiseState.KEPT
    result = case((kept, PromiseState.KEPT.value), else_=func.coalesce(_promise.fault, Fault.OURS.value))
    return (
        select(*_dimensions, _promise.name, _promise.rule, result.label("result"))
        .join_from(promise_facts, case_facts, _promise.case_id == _case.case_id)
        .where(scope.due())
    )


def money(scope: Scope) -> Select[Any]:
    """What was paid in cases that closed, by line and remedy, in each currency."""
    amount = func.sum(entries.c.amount).label("amount")
    return (
        select(_case.line, entries.c.kind, entries.c.currency, func.count().label("n"), amount)
        .join_from(case_facts, entries, entries.c.case_id == _case.case_id)
        .where(scope.closed(), entries.c.state == EntryState.COMMITTED, entries.c.amount != Decimal(0))
        .group_by(_case.line, entries.c.kind, entries.c.currency)
        .order_by(_case.line, entries.c.kind, entries.c.currency)
    )


def payback(scope: Scope) -> Select[Any]:
    """What carriers were asked to pay back for cases that closed, and what they have paid so far."""
    sums = [func.sum(claims.c[name]).label(name) for name in ("claimed", "recovered")]
    return (
        select(claims.c.carrier, claims.c.currency, func.count().label("n"), *sums)
        .join_from(case_facts, claims, claims.c.case_id == _case.case_id)
        .where(scope.closed())
        .group_by(claims.c.carrier, claims.c.currency)
        .order_by(claims.c.carrier, claims.c.currency)
    )


def open_cases(scope: Scope) -> Select[Any]:
    """Cases that are open now, and how many of them have broken a promise, by line."""
    row = case_projection.c
    of_line = () if scope.line is None else (row.line == scope.line,)
    broken = func.sum(case((row.broken != [], 1), else_=0)).label("broken")
    return (
        select(row.line, func.count().label("n"), broken).where(IS_OPEN, *of_line).group_by(row.line).order_by(row.line)
    )


QUERIES: dict[str, Callable[[Scope], Select[Any]]] = {
    each.__name__: each for each in (due_promises, closed_cases, money, payback, open_cases)
}
"""The queries by the name that a review shows beside its figures."""


def ids_of_cases(scope: Scope) -> Select[Any]:
    """The cases that closed, to be counted."""
    return select(_case.case_id).where(scope.closed())


def ids_of_promises(scope: Scope) -> Select[Any]:
    """The promises that fell due, to be counted."""
    found = select(_promise.case_id).where(scope.due())
    return found if scope.line is None else found.join(case_facts, _promise.case_id == _case.case_id)


def _exported(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column without our conversion of times, which takes longer than everything else in an export."""
    if isinstance(column.type, UtcTime):
        return type_coerce(column, DateTime(timezone=True)).label(column.key)
    return column


def exported_cases(scope: Scope) -> Select[Any]:
    """Every case that closed, with all of its facts. Times are in UTC, on SQLite without their offset."""
    columns = [_exported(each) for each in _case if each.name != "digest"]
    return select(*columns).where(scope.closed()).order_by(_case.closed_at)


def exported_promises(scope: Scope) -> Select[Any]:
    """Every promise that fell due, with what its case is counted by."""
    return (
        select(*map(_exported, promise_facts.c), *_dimensions)
        .join_from(promise_facts, case_facts, _promise.case_id == _case.case_id)
        .where(scope.due())
        .order_by(_promise.due_at)
    )


def cases_behind(scope: Scope, figure: str, dimension: str, subjects: Collection[str]) -> Select[Any]:
    """Subjects and ids of the cases behind a figure: promises `broken` by us, all `complaints`, or one party's."""
    subject = _case[dimension]
    if figure == "broken":
        fault = func.coalesce(_promise.fault, Fault.OURS.value)
        ours = and_(_promise.state != PromiseState.KEPT, fault == Fault.OURS.value)
        found = select(subject, _case.case_id).join_from(promise_facts, case_facts, _promise.case_id == _case.case_id)
        return found.where(scope.due(), ours, subject.in_(subjects)).distinct().order_by(_case.case_id)
    responsible = () if figure == "complaints" else (_case.party == figure,)
    found = select(subject, _case.case_id).where(scope.closed(), subject.in_(subjects), *responsible)
    return found.order_by(_case.case_id)


def lines_of(scope: Scope, dimension: str, subject: str) -> Select[Any]:
    """The lines of business of a subject's cases, the one with most cases first."""
    found = select(_case.line).where(scope.closed(), _case[dimension] == subject)
    return found.group_by(_case.line).order_by(func.count().desc(), _case.line)
