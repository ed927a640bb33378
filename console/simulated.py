"""The figures of a simulation as tables."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulation.figures import QUESTION, Comparison, Figure, Result, Simulation

VERDICTS = {"yes": ("yes", "bold green"), "no": ("no", "bold red"), "open": ("not decided by these seeds", "bold")}


def tables(found: Simulation) -> RenderableType:
    """Return the answer, then promises, teams and crews of each variant, then the comparison."""
    parts: list[RenderableType] = []
    for result in found.results:
        parts += [*_answer(result), _promises(result), _teams(result), _crews(result), "", *_sums(result), ""]
    if found.comparison:
        parts.append(_comparison(found.comparison))
    parts.append(f"Means of {len(found.seeds)} simulated periods of {found.days} days, with 95 % intervals.")
    return Group(*parts)


def _answer(result: Result) -> list[RenderableType]:
    answer = result.answer
    text, style = VERDICTS[answer.verdict]
    return [
        Text(f"{answer.text.en}  ({result.variant})", style="bold"),
        Text(f"{text}: {percent(answer.kept)} kept, target {answer.target:.0%}", style=style),
        f"{number(result.complaints)} complaints",
        f"{number(result.abandoned)} times hung up unanswered; {number(result.unfinished)} cases unfinished",
    ]


def _promises(result: Result) -> Table:
    table = Table("line", "rule", "promise", "within", title="Promises", title_justify="left")
    for heading in ("made", "kept", f"kept on {result.that_day:%d %b}", "messaging down"):
        table.add_column(heading, justify="right")
    for each in result.promises:
        that_day, system = percent(each.kept_that_day), percent(each.system)
        made = number(each.made)
        table.add_row(each.line, each.rule, each.promise, each.within, made, percent(each.kept), that_day, system)
    return table


def _teams(result: Result) -> Table:
    table = Table("team", title="Work that waits", title_justify="left")
    for heading in ("tasks", "mean wait, minutes", "95th percentile", f"longest queue on {result.that_day:%d %b}"):
        table.add_column(heading, justify="right")
    for each in result.teams:
        longest = max(length or 0.0 for length in each.queue_that_day)
        table.add_row(each.team, number(each.tasks), number(each.wait_mean), number(each.wait_95), f"{longest:.1f}")
    return table


def _crews(result: Result) -> Table:
    table = Table("crew", "people", "teams", title="Load: hours of work per hour at work", title_justify="left")
    for heading in ("all days", f"busiest hour on {result.that_day:%d %b}"):
        table.add_column(heading, justify="right")
    for each in result.crews:
        busiest = max((load for load in each.load_that_day if load is not None), default=None)
        busy = "–" if busiest is None else f"{busiest:.0%}"
        table.add_row(each.crew, str(each.people), ", ".join(each.teams), percent(each.load), busy)
    return table


def _sums(result: Result) -> list[RenderableType]:
    sums = {
        "escalations": {role.value: figure for role, figure in result.escalations.items()},
        "outcomes": {outcome.value: figure for outcome, figure in result.outcomes.items()},
        "paid, CNY": result.paid,
    }
    lines: list[RenderableType] = [
        f"{name}: {', '.join(f'{what} {number(figure)}' for what, figure in figures.items() if figure.mean)}"
        for name, figures in sums.items()
    ]
    return [*lines, f"satisfied: {percent(result.satisfied)}; days to close (median): {number(result.days_to_close)}"]


def _comparison(compared: Comparison) -> Table:
    title = f"{compared.b} against {compared.a}, on the same complaints"
    table = Table("", title=title, title_justify="left")
    for heading in (compared.a, compared.b, "difference"):
        table.add_column(heading, justify="right")
    for each in compared.differences:
        shown = percent if each.name.startswith(("promise.", QUESTION)) else number
        table.add_row(each.name, shown(each.a), shown(each.b), shown(each.difference, plus="+"))
    return table


def percent(figure: Figure | None, plus: str = "") -> str:
    """Return a share as `91.2 % (90.1–92.3)`."""
    if figure is None:
        return "–"
    mean = f"{figure.mean:{plus}.1%}"
    return mean if figure.low is None else f"{mean} ({figure.low:{plus}.1%} to {figure.high:{plus}.1%})"


def number(figure: Figure | None, plus: str = "") -> str:
    """Return a number as `91.2 (90.1 to 92.3)`."""
    if figure is None:
        return "–"
    digits = 0 if abs(figure.mean) >= 1000 else 1  # noqa: PLR2004 (where a decimal says nothing)
    if figure.low is None or figure.high is None:
        return f"{figure.mean:{plus},.{digits}f}"
    low, high = f"{figure.low:{plus},.{digits}f}", f"{figure.high:{plus},.{digits}f}"
    return f"{figure.mean:{plus},.{digits}f} ({low} to {high})"
