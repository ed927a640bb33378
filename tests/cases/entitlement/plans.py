"""Plans of complaints about building materials."""

import json
from datetime import timedelta
from typing import Any

from tests.cases.lines import plan_line
from tests.cases.world import START, a_complaint, building_materials

NOW = START + timedelta(hours=1)
POLICIES = {"building_materials": building_materials()}


def planned(line: str) -> dict[str, Any]:
    answer = plan_line(line, POLICIES, NOW)
    json.dumps(answer, allow_nan=False)  # it goes out as JSON
    return answer


def plan(finding: Any = None, **complaint: Any) -> dict[str, Any]:
    given_finding = {} if finding is None else {"finding": finding}
    return planned(json.dumps({"complaint": a_complaint(**complaint), **given_finding, "now": NOW.isoformat()}))
