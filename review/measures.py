"""Measures in a review (G13): it proposes one for each outlier, and says whether the figures of others have moved."""

from collections.abc import Iterable

from cases.measure.proposed import Dimension, KnownMeasure, MeasureState, Proposal, Proposed
from records import Records
from review.counting import rate
from review.figures import Between, Cases, Decision, Measure, Movement, Promises, Rate, Review, Span
from review.outliers import BROKEN, figures_of
from review.statistics import change
from review.texts import Words

Counted = tuple[list[Promises], list[Cases]]
"""What the figures of the period were counted to."""


def propose(records: Records, review: Review, words: Words) -> Review:
    """Propose a measure for each outlier, and return the review with their ids. Repeating it proposes the same ones."""
    # The line with most cases may be another one each time; the measure stays the same.
    lines = {(m.dimension.value, m.subject, m.figure, m.filters.get("of")): m.line for m in records.measures()}
    found = []
    for one in review.decisions:
        line = lines.get((one.dimension, one.subject, one.figure, review.line or ""), one.line)
        found.append(_proposed(records, review, one.model_copy(update={"line": line}), words))
    return review.model_copy(update={"decisions": found})


def _proposed(records: Records, review: Review, one: Decision, words: Words) -> Decision:
    if one.line is None or one.dimension not in set(Dimension):
        return one  # a target: its policy belongs to the business, and there is no one to compare it with
    proposed = Proposed(
        line=one.line,
        dimension=Dimension(one.dimension),
        subject=one.subject,
        proposal=Proposal(one.proposal),
        figure=one.figure,
        filters=_filters(review, one),
        value=one.value,
        reason=words.decision(one),
    )
    return one.model_copy(update={"measure": records.propose(proposed, review.made_at)})


def _filters(review: Review, one: Decision) -> dict[str, str]:
    """Return what the figure counts: lines, days, and how many of how many."""
    days = {"first": review.period.first.isoformat(), "last": review.period.last.isoformat()}
    return {"of": review.line or "", **days, "hits": str(one.hits), "n": f"{one.n:g}"}


def in_review(
    known: Iterable[KnownMeasure],
    line: str | None,
    period: Span,
    before: Span,
    counted: Counted,
) -> list[Measure]:
    """Return the measures whose figures count the same lines: adopted ones, and those that ended since `before`."""
    shown = []
    for measure in known:
        ended = measure.closed_at is not None and measure.closed_at.date() < before.first
        if measure.adopted_at is not None and not ended and measure.filters.get("of") == (line or ""):
            shown.append(_shown(measure, period, counted))
    return sorted(shown, key=lambda each: (each.due_on is None, each.due_on, each.measure_id))


def _shown(measure: KnownMeasure, period: Span, counted: Counted) -> Measure:
    then = _then(measure)
    now = next((rate(h, int(n)) for s, h, n in _rows(measure, counted) if s == measure.subject), rate(0, 0))
    found = change(now.hits, now.n, then.hits, then.n)
    moved = Between(low=found.low, high=found.high) if found else None
    early = measure.adopted_at is not None and period.first <= measure.adopted_at.date()
    return Measure(
        measure_id=measure.measure_id,
        dimension=measure.dimension,
        subject=measure.subject,
        proposal=measure.proposal,
        figure=measure.figure,
        state=measure.state,
        owner=measure.owner,
        due_on=measure.due_on,
        result=measure.result if measure.state is MeasureState.DONE else None,
        then=then,
        now=now,
        change=moved,
        movement=Movement.EARLY if early else _movement(moved),
    )


def _rows(measure: KnownMeasure, counted: Counted) -> list[tuple[str, int, float]]:
    promises, cases = counted
    if measure.figure == BROKEN or any(measure.figure in each.parties for each in cases):
        return figures_of(measure.dimension, measure.figure, promises, cases)
    return []


def _then(measure: KnownMeasure) -> Rate:
    """Return the figure as it was when the measure was proposed last before its adoption."""
    hits, n = (measure.filters.get(name, "") for name in ("hits", "n"))
    return rate(int(hits), int(n)) if hits.isdecimal() and n.isdecimal() else rate(0, 0)


def _movement(moved: Between | None) -> Movement:
    """Return what the interval says. Fewer hits are better."""
    if moved is None or moved.low <= 0 <= moved.high:
        return Movement.OPEN
    return Movement.BETTER if moved.high < 0 else Movement.WORSE
