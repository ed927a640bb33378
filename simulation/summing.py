"""From the tallies of all seeds to the published figures."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from statistics import fmean, median, quantiles

from cases.policy.parts import Titles
from cases.vocabulary import Outcome, Role
from simulation.figures import (
    QUESTION,
    Answer,
    Comparison,
    CrewFigures,
    DayFigures,
    Difference,
    Figure,
    PromiseFigures,
    Result,
    Simulation,
    TeamFigures,
    Verdict,
    amount,
    share,
)
from simulation.reading import World
from simulation.scenario import Crew, Question
from simulation.tally import Kept, PromiseKey, Tally

SATISFIED_FROM = 4
Concerned = Callable[[PromiseKey], bool]


def simulation(worlds: list[World], tallies: list[list[Tally]]) -> Simulation:
    """Return the figures of all variants; `tallies` has one list for each, in the order of the seeds."""
    scenario = worlds[0].scenario
    comparison = None
    if len(worlds) == 2:  # noqa: PLR2004 (a comparison)
        comparison = _comparison(worlds, tallies)
    return Simulation(
        title=scenario.title,
        starts=scenario.starts,
        days=scenario.days,
        seeds=[tally.seed for tally in tallies[0]],
        results=[_Summary(world, runs).result() for world, runs in zip(worlds, tallies, strict=True)],
        comparison=comparison,
    )


class _Summary:
    """The figures of one variant."""

    def __init__(self, world: World, runs: list[Tally]) -> None:
        self._world = world
        self._scenario = world.scenario
        self._runs = runs
        arrivals = world.scenario.arrivals
        busiest = max(self._scenario.dates, key=lambda day: sum(arrivals.per_hour(day, hour) for hour in range(24)))
        self._that_day = self._scenario.question.on or busiest

    def result(self) -> Result:
        runs = self._runs
        return Result(
            variant=self._world.name,
            title=self._title,
            policies={line: policy.version for line, policy in self._world.policies.items()},
            answer=self._answer(),
            that_day=self._that_day,
            complaints=amount([run.complaints for run in runs]),
            opened=amount([run.opened for run in runs]),
            abandoned=amount([run.abandoned for run in runs]),
            unfinished=amount([run.unfinished for run in runs]),
            days_to_close=amount([median(run.days_open or [0.0]) for run in runs]),
            satisfied=share([_satisfied(run) for run in runs]),
            promises=list(self._promises()),
            days=[self._day(day) for day in self._scenario.dates],
            teams=[self._team(team) for team in sorted({team for run in runs for team in run.waits})],
            crews=[self._crew(crew) for crew in self._scenario.staff],
            escalations={role: amount([run.escalations[role] for run in runs]) for role in Role},
            outcomes={outcome: amount([run.outcomes[outcome] for run in runs]) for outcome in Outcome},
            paid={name: amount([float(amount) for amount in paid]) for name, paid in _by_heading(runs).items()},
        )

    @property
    def _title(self) -> Titles | None:
        variant = self._scenario.variants.get(self._world.name)
        return variant.title if variant else None

    def _kept(self, concerned: Concerned) -> list[Kept]:
        """Return the promises that are concerned, added up, for each run."""
        return [_added(run, concerned) for run in self._runs]

    def _answer(self) -> Answer:
        asked = self._scenario.question
        kept = share([each.share for each in self._kept(_in_question(self._scenario.question, asked.on))])
        return Answer(
            text=asked.text,
            promise=asked.promise,
            line=asked.line,
            on=asked.on,
            target=asked.target,
            kept=kept,
            verdict=_verdict(kept, asked.target),
        )

    def _promises(self) -> Iterator[PromiseFigures]:
        for line, policy in self._world.policies.items():
            for rule in policy.promises:
                promise = (line, rule.rule, rule.name, rule.within)
                kept = self._kept(lambda key, promise=promise: key[:4] == promise)  # type: ignore[misc]
                that_day = self._kept(lambda key, promise=promise: key == (*promise, self._that_day))  # type: ignore[misc]
                if any(each.kept + each.broken for each in kept):
                    yield PromiseFigures(
                        line=line,
                        rule=rule.rule,
                        promise=rule.name,
                        within=rule.within,
                        made=amount([each.kept + each.broken for each in kept]),
                        kept=share([each.share for each in kept]),
                        system=share([each.system_share for each in kept]),
                        kept_that_day=share([each.share for each in that_day]),
                    )

    def _day(self, day: date) -> DayFigures:
        return DayFigures(
            day=day,
            complaints=amount([run.received_on[day] for run in self._runs]),
            abandoned=amount([run.abandoned_on[day] for run in self._runs]),
            kept=share([each.share for each in self._kept(_in_question(self._scenario.question, day))]),
        )

    def _team(self, team: str) -> TeamFigures:
        first = self._first_hour
        waits = [run.waits.get(team) or [0.0] for run in self._runs]
        queued = [run.queued.get(team) or [0.0] * (24 * self._scenario.days) for run in self._runs]
        return TeamFigures(
            team=team,
            tasks=amount([len(run.waits.get(team, ())) for run in self._runs]),
            wait_mean=amount([fmean(each) for each in waits]),
            wait_95=amount([_percentile_95(each) for each in waits]),
            queue_that_day=[round(fmean(each[first + hour] for each in queued), 3) for hour in range(24)],
        )

    @property
    def _first_hour(self) -> int:
        return 24 * (self._that_day - self._scenario.starts).days

    def _crew(self, crew: Crew) -> CrewFigures:
        loads = _load((sum(run.busy[crew.name]), sum(run.at_work[crew.name])) for run in self._runs)
        hours = range(self._first_hour, self._first_hour + 24)
        by_hour = [_load((run.busy[crew.name][h], run.at_work[crew.name][h]) for run in self._runs) for h in hours]
        means = [each and each.mean for each in by_hour]
        return CrewFigures(
            crew=crew.name,
            title=crew.title,
            people=crew.people,
            teams=list(crew.teams),
            load=loads,
            load_that_day=means,
        )


def _in_question(asked: Question, on: date | None) -> Concerned:
    """Return whether a promise is the one in question, on one day or on all."""

    def concerned(key: PromiseKey) -> bool:
        line, _, name, _, day = key
        return name is asked.promise and asked.line in (None, line) and on in (None, day)

    return concerned


def _added(run: Tally, concerned: Concerned) -> Kept:
    found = Kept()
    for key, each in run.promises.items():
        if concerned(key):
            found.kept += each.kept
            found.broken += each.broken
            found.system += each.system
    return found


def _verdict(kept: Figure | None, target: float) -> Verdict:
    if kept is None:
        return "open"
    low = kept.mean if kept.low is None else kept.low
    high = kept.mean if kept.high is None else kept.high
    return "yes" if low >= target else "no" if high < target else "open"


def _satisfied(run: Tally) -> float | None:
    total = sum(run.scores.values())
    return sum(count for score, count in run.scores.items() if score >= SATISFIED_FROM) / total if total else None


def _load(hours: Iterable[tuple[float, float]]) -> Figure | None:
    """Return hours of work per hour at work, over all runs; None if nobody is at work."""
    loads = [busy / at_work for busy, at_work in hours if at_work]
    return amount(loads) if loads else None


def _percentile_95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def _by_heading(runs: list[Tally]) -> dict[str, list[float]]:
    headings = dict.fromkeys(name for run in runs for name in run.paid)
    return {name: [float(run.paid[name]) for run in runs] for name in headings}


# Comparison


def _comparison(worlds: list[World], tallies: list[list[Tally]]) -> Comparison:
    question = worlds[0].scenario.question
    a, b = ([_numbers(run, question) for run in runs] for runs in tallies)
    differences = []
    for name in dict.fromkeys(name for run in (*a, *b) for name in run):
        pairs = [(x[name], y[name]) for x, y in zip(a, b, strict=True) if name in x and name in y]
        if pairs:
            differences.append(
                Difference(
                    name=name,
                    a=Figure.of([x for x, _ in pairs]),
                    b=Figure.of([y for _, y in pairs]),
                    difference=Figure.of([y - x for x, y in pairs]),
                )
            )
    return Comparison(a=worlds[0].name, b=worlds[1].name, differences=differences)


def _numbers(run: Tally, question: Question) -> dict[str, float]:
    """Return what is compared of one run."""
    asked = _added(run, _in_question(question, question.on)).share
    kept: dict[str, Kept] = defaultdict(Kept)
    # Not by the time allowed, because another policy may allow another time.
    for (line, rule, promise, _, _), each in run.promises.items():
        found = kept[f"promise.{line}.{rule}.{promise}"]
        found.kept += each.kept
        found.broken += each.broken
    numbers = {} if asked is None else {QUESTION: asked}
    numbers |= {name: each.share for name, each in kept.items() if each.share is not None}
    numbers |= {"abandoned": run.abandoned, "days_to_close": median(run.days_open or [0.0])}
    numbers |= {f"wait.{team}": fmean(waits) for team, waits in run.waits.items() if waits}
    numbers |= {f"escalations.{role}": run.escalations[role] for role in Role}
    return numbers | {f"paid.{name}": float(amount) for name, amount in run.paid.items()}
