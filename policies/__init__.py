"""Load and check policy files, one per line of business. Every fault is reported with file, key and reason.

`every_line.yaml` has the settings shared by all lines. A policy's version is its name and a hash of both files and, if
it counts working time, of the calendar's days off: other days off mean other terms (S33).
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from cases.calendar import FIRST_YEAR, WEEK, CalendarTerms, WorkCalendar
from cases.errors import InvalidInput, Problem, problems_of
from cases.policy.amounts import amount
from cases.policy.policy import Policy, matches
from settings import configured

if TYPE_CHECKING:
    import holidays

SHARED = "every_line.yaml"


class _Written(NamedTuple):
    """The contents of a policy's file and of the shared file, without the days off."""

    path: Path
    common: dict[str, Any]
    own: dict[str, Any]
    policy: Policy


class Known(Mapping[str, Policy]):
    """Policies by line. The days off of a line are loaded when it is first used, because that is slow."""

    def __init__(self, written: dict[str, _Written]) -> None:
        self._written = written
        self._dated: dict[str, Policy] = {}

    def __getitem__(self, line: str) -> Policy:
        """Return the policy of a line. Raises `InvalidInput` if its calendar is unknown."""
        if line not in self._dated:
            self._dated[line] = _dated(self._written[line])
        return self._dated[line]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the lines."""
        return iter(self._written)

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self._written)


def known_policies() -> Mapping[str, Policy]:
    """Return the policies in force by line. Raises `InvalidInput` with every fault of the files and the settings."""
    return Known(_all_written(configured().policies))


def load(folder: Path) -> dict[str, Policy]:
    """Return all policies of a folder by line. Raises `InvalidInput` with every fault of every file."""
    found: dict[str, Policy] = {}
    problems: list[Problem] = []
    for line, written in _all_written(folder).items():
        try:
            found[line] = _dated(written)
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return found


def _all_written(folder: Path) -> dict[str, _Written]:
    files = sorted(path for path in folder.glob("*.yaml") if path.name != SHARED)
    if not files:
        raise InvalidInput([Problem(field=str(folder), problem="holds no policy files (*.yaml)")])
    found: dict[str, _Written] = {}
    problems: list[Problem] = []
    common = _shared(folder)
    for path in files:
        try:
            written = _written(path, common)
        except InvalidInput as error:
            problems += error.problems
            continue
        line = written.policy.line
        if line in found:
            problems.append(Problem(field=f"{path.name}: line", problem=f"{line} already has a file"))
        found[line] = written
    if problems:
        raise InvalidInput(problems)
    return found


def load_file(path: Path) -> Policy:
    """Return the policy in a file, with the shared settings. Raises `InvalidInput`, each fault as `file: key`."""
    return _dated(_written(path, _shared(path.parent)))


def _shared(folder: Path) -> dict[str, Any]:
    path = folder / SHARED
    return read_yaml(path) if path.exists() else {}


def _written(path: Path, common: dict[str, Any]) -> _Written:
    own = read_yaml(path)
    content = {**common, **own}
    derived = [Problem(field=key, problem="is computed and cannot be set") for key in DERIVED if key in content]
    try:
        policy = Policy.model_validate({**content, "version": path.stem})
        faults = [*derived, *_topics_that_do_not_exist(policy), *_shares_that_are_missing(policy)]
        if not policy.compensation_limit:
            faults.append(Problem(field="compensation_limit", problem="is missing: write one, such as 30% of order"))
        if not faults:
            return _Written(path, common, own, policy)
    except ValidationError as error:
        faults = [*derived, *problems_of(error)]
    raise _named(faults, common, own, path)


def _dated(written: _Written) -> Policy:
    """Return the policy with its days off; its version depends on them (S33)."""
    path, common, own, policy = written
    try:
        days = work_calendar(policy.calendar, policy.timezone)
    except InvalidInput as error:
        raise _named(error.problems, common, own, path) from None
    content = json.dumps({**common, **own}, sort_keys=True, default=str)
    edition = days.model_dump_json() if policy.counts_working_time else ""
    digest = hashlib.sha256(f"{content}{edition}".encode()).hexdigest()[:8]
    return policy.model_copy(update={"working_days": days, "version": f"{policy.name}+{digest}"})


def _named(faults: list[Problem], common: dict[str, Any], own: dict[str, Any], path: Path) -> InvalidInput:
    return InvalidInput(
        [Problem(field=f"{_origin(p, common, own, path)}: {p.field}", problem=p.problem) for p in faults]
    )


DERIVED = ("version", "working_days")
"""Fields of a policy that are computed and cannot be set in a file."""


def _origin(fault: Problem, common: dict[str, Any], own: dict[str, Any], path: Path) -> str:
    """Return the file that contains a faulty key. Without `escalation`, a fault of the whole is the shared file's."""
    key = fault.field.split(".")[0]
    shared = key in common and key not in own
    return SHARED if shared or (fault.field == "(whole)" and "escalation" not in own) else path.name


def _topics_that_do_not_exist(policy: Policy) -> list[Problem]:
    """Return a problem for each pattern that matches no topic of the line: its rule would never apply."""
    parts = [(f"promises {p.rule}", [*p.topics, *p.except_topics]) for p in policy.promises]
    parts += [(f"remedies {r.rule}", r.topics) for r in policy.remedies]
    parts += [(f"investigations {i.rule}", i.topics) for i in policy.investigations]
    parts += [(f"precautions {p.rule}", p.topics) for p in policy.precautions]
    parts += [("later_call", policy.later_call.topics)] if policy.later_call else []
    return [
        Problem(field=part, problem=f"no topic of {policy.line} matches {pattern}")
        for part, patterns in parts
        for pattern in patterns
        if not any(matches([pattern], topic) for topic in policy.topics)
    ]


def _shares_that_are_missing(policy: Policy) -> list[Problem]:
    """Return a problem for each severity that a rule needs but that has no share: its amount could not be computed."""
    found = []
    for rule in policy.remedies:
        amounts = [r.amount for option in rule.options.values() for r in option if r.amount]
        if not any(amount(text).term.damaged for text in amounts):
            continue
        severities = {s for name, t in policy.topics.items() if matches(rule.topics, name) for s in t.severities}
        if missing := sorted(severities - policy.damaged_share.keys()):
            problem = f"has no share for {', '.join(missing)}, which remedies {rule.rule} needs"
            found.append(Problem(field="damaged_share", problem=problem))
    return found


def work_calendar(terms: CalendarTerms, zone: str) -> WorkCalendar:
    """Return the working days according to the holiday library. Raises `InvalidInput` for an unknown country.

    A country with make-up workdays announces them year by year (S12). Outside the years for which the library has any,
    only the statutory holidays are known, and dates are provisional. For a country without make-up workdays, or without
    recent ones, dates are certain in all years that are loaded here (S33).
    """
    hours = {"zone": zone, "opens": terms.opens, "closes": terms.closes}
    weekend = None if terms.weekend is None else frozenset(WEEK.index(day) for day in terms.weekend)
    if terms.country is None:
        return WorkCalendar(**hours, **({} if weekend is None else {"weekend": weekend}))
    _known(terms.country, terms.subdivision)
    days = _holidays(terms.country, terms.subdivision)
    first, last = min(days.years), max(days.years)
    weekend = frozenset(days.weekend) if weekend is None else weekend
    makeup = {day for day in days.weekend_workdays if first <= day.year <= last}
    years = {day.year for day in makeup}
    if years and max(years) >= _last_notice():
        first, last = min(years), max(years)
    off = {day: False for day in days if day.weekday() not in weekend}
    worked = {day: True for day in makeup if day.weekday() in weekend}
    return WorkCalendar(
        name="-".join(filter(None, (terms.country, terms.subdivision))),
        **hours,
        weekend=weekend,
        exceptions=dict(sorted((off | worked).items())),
        announced_from=date(first, 1, 1),
        announced_through=date(last, 12, 31),
    )


YEARS_AHEAD = 2


def _holidays(country: str, subdivision: str | None = None) -> "holidays.HolidayBase":
    """Return a country's holidays in all years that complaints may be from, as far as the library has them."""
    import holidays  # noqa: PLC0415 (slow to load, and most lines do not count working time)

    known = holidays.country_holidays(country, subdiv=subdivision)
    last = datetime.now(UTC).year + YEARS_AHEAD
    years = range(max(FIRST_YEAR, known.start_year), min(last, known.end_year) + 1)
    return holidays.country_holidays(country, subdiv=subdivision, years=years)


def _last_notice() -> int:
    """Return the last year with make-up workdays in China, the newest that the library can have for any country.

    China announces some every year. A country without any in that year does not have make-up workdays (any more).
    """
    return max(day.year for day in _holidays("CN").weekend_workdays)


def _known(country: str, subdivision: str | None) -> None:
    import holidays  # noqa: PLC0415 (as above)

    if not subdivision and re.fullmatch(r"[A-Z]{2}", country) and hasattr(holidays, country):
        return  # the list of all countries below is slow to load
    subdivisions = holidays.list_supported_countries().get(country)
    if subdivisions is None:
        problem = f"there is no calendar for {country}; write plain, or a country code such as CN or DE"
        raise InvalidInput([Problem(field="calendar.country", problem=problem)])
    if subdivision and subdivision not in subdivisions:
        problem = f"{country} has no {subdivision}; it has {', '.join(subdivisions) or 'none'}"
        raise InvalidInput([Problem(field="calendar.subdivision", problem=problem)])


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raises `InvalidInput` with the file, and the line if it is not YAML."""
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput([Problem(field=str(path), problem=f"cannot be read: {error.strerror}")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path.name}: line {mark.line + 1}" if mark else path.name
        raise InvalidInput([Problem(field=where, problem=error.problem or "is not YAML")]) from None
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput([Problem(field=path.name, problem=f"is not YAML: {error}")]) from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InvalidInput([Problem(field=path.name, problem="must be a mapping of keys to values")])
    return content
