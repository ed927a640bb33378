"""Counting the rows of a review's queries, one at a time, so that 200,000 cases need little memory (G13)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cases.vocabulary import Outcome
from records.facts.queries import DIMENSIONS
from review.figures import ALL, Between, Cases, Promises, Rate, Time
from review.statistics import wilson

MEASURES = ("to_acknowledge", "to_offer", "to_resolve")
TIMES_BY = ("line", "topic")
"""The dimensions whose times are shown. The values of every case are kept until the end."""
FEWEST_OF_A_CAUSE = 5
"""Causes are free text. One with fewer cases is not shown: it may be about one person."""
_WIDTH = 40
"""Bits of one counter. Several are packed into one number, because adding is what takes the time."""
_MASK = (1 << _WIDTH) - 1
Rows = Iterable[Sequence[Sequence[Any]]]
"""The rows of a query, some thousand at a time."""


def rate(hits: int, n: int) -> Rate:
    """Return a share with its interval."""
    found = wilson(hits, n)
    between = found and Between(low=found.low, high=found.high)
    return Rate(hits=hits, n=n, share=hits / n if n else None, interval=between)


RESULTS = ("kept", "ours", "system", "late")


def count_promises(rows: Rows) -> list[Promises]:
    """Count the query `due_promises`: of all, and by each dimension, by `promise` and by `rule` of each line."""
    dimensions = (*DIMENSIONS, "promise", "rule")
    units = {result: 1 << (_WIDTH * place) for place, result in enumerate(RESULTS)}
    counts: list[dict[Any, int]] = [defaultdict(int) for _ in dimensions]
    by_rule = counts[-1]
    total = 0
    for part in rows:
        for row in part:
            unit = units[row[-1]]
            total += unit
            for count, subject in zip(counts, row[:-2], strict=False):
                count[subject] += unit
            by_rule[row[0], row[-2]] += unit
    found = [_promises(ALL, "", total)]
    for dimension, count in zip(dimensions, counts, strict=True):
        named = {"/".join(s) if isinstance(s, tuple) else s: n for s, n in count.items() if s is not None}
        found += [_promises(dimension, subject, named[subject]) for subject in sorted(named)]
    return [each for each in found if _is_shown(each.dimension, each.kept.n)]


def _promises(dimension: str, subject: str, packed: int) -> Promises:
    kept, ours, system, late = ((packed >> (_WIDTH * place)) & _MASK for place in range(len(RESULTS)))
    counted = rate(kept, kept + ours + system + late)
    return Promises(dimension=dimension, subject=subject, kept=counted, ours=ours, system=system, late=late)


def count_cases(rows: Rows) -> tuple[list[Cases], list[Time]]:
    """Count the query `closed_cases`: of all and by each dimension, and the times of all and by line and topic."""
    counts: list[dict[tuple[str, int], int]] = [defaultdict(int) for _ in DIMENSIONS]
    kinds: dict[tuple[Any, ...], int] = {}
    total: Counter[int] = Counter()
    times = _Times()
    width, party = len(DIMENSIONS), DIMENSIONS.index("party")
    for part in rows:
        for row in part:
            # outcome, score, follows, cycles, repeats, and the party that is also a dimension
            kind = kinds.setdefault((*row[width : width + 5], row[party]), len(kinds))
            total[kind] += 1
            for count, subject in zip(counts, row, strict=False):
                count[subject, kind] += 1
        times.add(part)
    by_number = list(kinds)
    found = [_cases(ALL, "", [(by_number[kind], n) for kind, n in total.items()])]
    for dimension, count in zip(DIMENSIONS, counts, strict=True):
        by_subject: dict[str, list[tuple[Any, int]]] = defaultdict(list)
        for (subject, kind), n in count.items():
            if subject is not None:
                by_subject[subject].append((by_number[kind], n))
        found += [_cases(dimension, subject, by_subject[subject]) for subject in sorted(by_subject)]
    return [each for each in found if _is_shown(each.dimension, each.n)], list(times.percentiles())


def _cases(dimension: str, subject: str, kinds: Iterable[tuple[Any, int]]) -> Cases:
    outcomes: Counter[str] = Counter()
    parties: Counter[str] = Counter()
    asked = answered = satisfied = dissatisfied = reopened = repeats = 0
    for (outcome, score, follows, cycles, again, party), n in kinds:
        outcomes[outcome] += n
        if party is not None:
            parties[party] += n
        asked += n * (score is not None or outcome == Outcome.UNREACHABLE)
        answered += n * (score is not None)
        satisfied += n * (score is not None and outcome == Outcome.SATISFIED)
        dissatisfied += n * (cycles > 1)
        reopened += n * bool(follows)
        repeats += n * bool(again)
    return Cases(
        dimension=dimension,
        subject=subject,
        n=outcomes.total(),
        outcomes={name: outcomes[name] for name in sorted(outcomes)},
        asked=asked,
        answered=answered,
        satisfied=rate(satisfied, answered),
        dissatisfied=dissatisfied,
        reopened=reopened,
        repeats=repeats,
        parties={name: parties[name] for name in sorted(parties)},
    )


class _Times:
    """The times of every case: of all, by line and by topic."""

    def __init__(self) -> None:
        self._all: list[list[int]] = [[] for _ in MEASURES]
        self._by: list[list[dict[str, list[int]]]] = [[defaultdict(list) for _ in MEASURES] for _ in TIMES_BY]

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows of `closed_cases`: each begins with the line and the topic, and ends with the times."""
        for place in range(len(MEASURES)):
            column = place - len(MEASURES)
            add, (by_line, by_topic) = self._all[place].append, (by[place] for by in self._by)
            for row in rows:
                seconds = row[column]
                if seconds is not None:
                    add(seconds)
                    by_line[row[0]].append(seconds)
                    by_topic[row[1]].append(seconds)

    def percentiles(self) -> Iterator[Time]:
        """Yield each measure that has values."""
        for place, measure in enumerate(MEASURES):
            yield from self._of(measure, ALL, {"": self._all[place]})
            for dimension, by in zip(TIMES_BY, self._by, strict=True):
                yield from self._of(measure, dimension, by[place])

    @staticmethod
    def _of(measure: str, dimension: str, values: dict[str, list[int]]) -> Iterator[Time]:
        for subject, each in sorted(values.items()):
            if each:
                each.sort()
                median, p95 = (each[-(-len(each) * percent // 100) - 1] for percent in (50, 95))
                yield Time(measure=measure, dimension=dimension, subject=subject, n=len(each), median=median, p95=p95)


def _is_shown(dimension: str, n: int) -> bool:
    return dimension != "cause" or n >= FEWEST_OF_A_CAUSE
