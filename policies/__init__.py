"""Policy files: one per line of business, what a business edits; every fault is told with file, key and reason.

`every_line.yaml` holds what all lines share. A policy's version is its name and a hash of what both files say.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import holidays
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from cases.calendar import WorkCalendar
from cases.errors import InvalidInput, Problem, problems_of
from cases.policy import Policy, topics_that_do_not_exist

SHARED = "every_line.yaml"


def load(folder: Path) -> dict[str, Policy]:
    """All policies of a folder by line; raises `InvalidInput` with every fault of every file."""
    files = sorted(path for path in folder.glob("*.yaml") if path.name != SHARED)
    if not files:
        raise InvalidInput([Problem(field=str(folder), problem="holds no policy files (*.yaml)")])
    found: dict[str, Policy] = {}
    problems: list[Problem] = []
    for path in files:
        try:
            policy = load_file(path)
        except InvalidInput as error:
            problems += error.problems
            continue
        if policy.line in found:
            problems.append(Problem(field=f"{path.name}: line", problem=f"{policy.line} has a file already"))
        found[policy.line] = policy
    if problems:
        raise InvalidInput(problems)
    return found


def load_file(path: Path) -> Policy:
    """One line's policy, with what every line shares; raises `InvalidInput`, each fault as `file: key`."""
    shared = path.parent / SHARED
    common, own = _read(shared) if shared.exists() else {}, _read(path)
    content = {**common, **own}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:8]
    content["version"] = f"{content.get('name', path.stem)}+{digest}"
    if content.get("calendar") == "CN":
        content["working_days"] = mainland_china(content.get("timezone", "Asia/Shanghai"))
    try:
        policy = Policy.model_validate(content)
        faults = topics_that_do_not_exist(policy)
    except ValidationError as error:
        faults = problems_of(error)
    if faults:
        named = [Problem(field=f"{_origin(p, common, own, path)}: {p.field}", problem=p.problem) for p in faults]
        raise InvalidInput(named)
    return policy


def _origin(fault: Problem, common: dict[str, Any], own: dict[str, Any], path: Path) -> str:
    """The file in which a faulty key stands; what is wrong with the whole is wrong with what all lines share."""
    key = fault.field.split(".")[0]
    shared = key in common and key not in own
    return SHARED if shared or (fault.field == "(whole)" and "escalation" not in own) else path.name


def mainland_china(zone: str) -> WorkCalendar:
    """Working days of mainland China: public holidays off, make-up workdays worked (S12)."""
    this = datetime.now(UTC).year
    first, last = this - 1, this + 2
    calendar = holidays.country_holidays("CN", years=range(first, last + 1))
    makeup = {day for day in calendar.weekend_workdays if first <= day.year <= last}
    announced = max((day.year for day in makeup), default=first)
    exceptions = {day: False for day in calendar if day.weekday() < 5 and day.year <= announced}  # noqa: PLR2004 (Saturday)
    return WorkCalendar(
        name="CN",
        zone=zone,
        exceptions={**exceptions, **dict.fromkeys(makeup, True)},
        announced_through=date(announced, 12, 31),
    )


def _read(path: Path) -> dict[str, Any]:
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
