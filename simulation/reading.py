"""Read scenario files. Every problem is reported with its field and the values that are allowed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

import policies
from cases.errors import InvalidInput, Problem, printable, problems_of
from cases.policy.policy import Policy
from settings import configured
from simulation.scenario import MANAGERS, Crew, Question, Scenario, Variant, Work

AS_IS = "as_is"
"""The name of the scenario without a variant."""


@dataclass(frozen=True)
class World:
    """A scenario, one variant of it, and the policies that apply in it."""

    name: str
    scenario: Scenario
    policies: dict[str, Policy]


def read_scenario(path: Path) -> Scenario:
    """Return the scenario in a file. Raises `InvalidInput` with every problem of its form."""
    content = policies.read_yaml(path)
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        raise InvalidInput([_with_known_fields(problem) for problem in problems_of(error)]) from None


def world(path: Path, name: str = AS_IS) -> World:
    """Return the scenario in a file with the variant `name`, which is also a folder of policy files.

    Raises `InvalidInput` with every problem.
    """
    scenario = read_scenario(path)
    folder = _folder(path, scenario.policies)
    if name in scenario.variants:
        variant = scenario.variants[name]
        if problems := list(_unknown_crews(f"variants.{name}", variant, scenario)):
            raise InvalidInput(problems)
        scenario = scenario.varied(variant)
        folder = _folder(path, variant.policies or scenario.policies)
    elif name != AS_IS:
        folder = Path(name)
        if not folder.is_dir():
            known = ", ".join([AS_IS, *scenario.variants])
            raise InvalidInput([Problem(field=name, problem=f"is neither a folder of policies nor one of {known}")])
    known_policies = policies.load(folder)
    if problems := list(_problems(scenario, known_policies)):
        raise InvalidInput(problems)
    return World(name, scenario, {mix.line: known_policies[mix.line] for mix in scenario.complaints})


def _folder(path: Path, named: str | None) -> Path:
    return path.parent / named if named else configured().policies


def _with_known_fields(problem: Problem) -> Problem:
    """Add the fields that are known to the problem of one that is not."""
    if not problem.problem.startswith("is not known here"):
        return problem
    model: Any = Scenario
    for part in problem.field.split(".")[:-1]:
        model = _model_in(model, part) or model
    return problem.model_copy(update={"problem": f"is not known here; known are {', '.join(model.model_fields)}"})


def _model_in(model: type[BaseModel], field: str) -> type[BaseModel] | None:
    """Return the model of a field, also within lists and mappings; None for other fields and for keys."""
    if field not in model.model_fields:
        return None
    found: list[Any] = [model.model_fields[field].annotation]
    while found:
        each = found.pop()
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
        found += get_args(each)
    return None


def _problems(scenario: Scenario, known: dict[str, Policy]) -> Iterator[Problem]:
    """Yield what does not fit together in a scenario, or does not fit its policies."""
    yield from _kinds_of_complaints(scenario, known)
    yield from _missing("work", get_args(Work), scenario.work, "has no time for")
    lines = dict.fromkeys(mix.line for mix in scenario.complaints if mix.line in known)
    yield from _missing("orders", lines, scenario.orders, "has no terms for")
    yield from _dates(scenario)
    yield from _question(scenario.question, {line: known[line] for line in lines})
    yield from _staff(scenario.staff, _teams(scenario, known))
    for name, variant in scenario.variants.items():
        yield from _unknown_crews(f"variants.{name}", variant, scenario)
    if AS_IS in scenario.variants:
        yield Problem(field=f"variants.{AS_IS}", problem=f"{AS_IS} is the scenario without a variant: use another name")


def _kinds_of_complaints(scenario: Scenario, known: dict[str, Policy]) -> Iterator[Problem]:
    for index, mix in enumerate(scenario.complaints):
        where = f"complaints.{index}"
        if mix.line not in known:
            yield _not_one_of(f"{where}.line", mix.line, known)
        elif mix.topic not in known[mix.line].topics:
            yield _not_one_of(f"{where}.topic", mix.topic, known[mix.line].topics)
        elif severities := known[mix.line].topics[mix.topic].severities:
            for severity in sorted(s for s, weight in mix.severity.items() if weight and s not in severities):
                if "severity" in mix.model_fields_set:
                    yield _not_one_of(f"{where}.severity", severity, severities)
    if not any(mix.share for mix in scenario.complaints):
        yield Problem(field="complaints", problem="needs at least one share above 0")


def _dates(scenario: Scenario) -> Iterator[Problem]:
    first, last = scenario.dates[0], scenario.dates[-1]
    named = [(f"arrivals.peaks.{i}.on", peak.on) for i, peak in enumerate(scenario.arrivals.peaks)]
    for field, day in [*named, ("question.on", scenario.question.on)]:
        if day and not first <= day <= last:
            yield Problem(field=field, problem=f"{day} is not a day of the scenario: {first} to {last}")


def _question(question: Question, known: dict[str, Policy]) -> Iterator[Problem]:
    if question.line and question.line not in known:
        yield _not_one_of("question.line", question.line, known)
        return
    asked = [known[question.line]] if question.line else known.values()
    promised = dict.fromkeys(rule.name.value for policy in asked for rule in policy.promises)
    if question.promise not in promised:
        yield _not_one_of("question.promise", question.promise, promised)


def _teams(scenario: Scenario, known: dict[str, Policy]) -> dict[str, str]:
    """Return the teams that have work, each with what it is for."""
    found = {MANAGERS: "offers beyond an agent's limits"}
    for channel, terms in scenario.channels.items():
        if terms.team:
            found.setdefault(terms.team, f"channel {channel}")
    for mix in scenario.complaints:
        topic = known[mix.line].topics.get(mix.topic) if mix.line in known else None
        if topic:
            found.setdefault(topic.team, f"{mix.line} {mix.topic}")
            if topic.audit:
                found.setdefault(topic.audit, f"claims of {mix.line} {mix.topic}")
    return found


def _staff(crews: list[Crew], teams: dict[str, str]) -> Iterator[Problem]:
    names = [crew.name for crew in crews]
    for index, crew in enumerate(crews):
        if crew.name in names[:index]:
            yield Problem(field=f"staff.{index}.name", problem=f"{crew.name} is the name of another crew")
        for team in crew.teams:
            if team not in teams:
                yield _not_one_of(f"staff.{index}.teams", team, teams)
    covered = {team for crew in crews if crew.people and crew.days for team in crew.teams}
    for team in sorted(teams.keys() - covered):
        yield Problem(field="staff", problem=f"nobody works in team {team}, which is needed for {teams[team]}")


def _unknown_crews(field: str, variant: Variant, scenario: Scenario) -> Iterator[Problem]:
    names = [crew.name for crew in variant.staff or scenario.staff]
    for name in variant.people:
        if name not in names:
            yield _not_one_of(f"{field}.people", name, names)


def _missing(field: str, wanted: Iterable[str], given: Iterable[str], what: str) -> Iterator[Problem]:
    if missing := [name for name in wanted if name not in given]:
        yield Problem(field=field, problem=f"{what} {', '.join(missing)}")


def _not_one_of(field: str, value: str, known: Iterable[str]) -> Problem:
    return Problem(field=field, problem=f"{printable(value)} is not one of {', '.join(known)}")
