"""Small scenarios, complete unless a test changes them."""

from functools import cache
from pathlib import Path
from typing import Any

import policies
from cases.policy.policy import Policy
from settings import ROOT
from simulation.run import Run
from simulation.scenario import Scenario
from simulation.tally import Tally

ROUND_THE_CLOCK = [1.0] * 24
TRACKING = {"line": "express", "topic": "tracking", "share": 1, "channels": {"hotline": 1}, "on_record": 1.0}
"""Answered from the tracking history, so that no agent has any work after the call."""
NOVEMBER = Path(policies.__file__).parents[1] / "simulation" / "scenarios" / "november.yaml"


@cache
def in_force() -> dict[str, Policy]:
    """The policies by line."""
    return policies.load(ROOT / "policies")


def written(**changes: Any) -> dict[str, Any]:
    """Return a scenario as a file has it: one class of calls, answered by exponential times around the clock."""
    return {
        "title": {"zh-CN": "测试", "en": "Test"},
        "starts": "2026-11-02",
        "days": 2,
        "question": {
            "text": {"zh-CN": "能守住吗？", "en": "Can it be kept?"},
            "promise": "acknowledge",
            "target": "95%",
        },
        "arrivals": {"per_day": 100, "hours": ROUND_THE_CLOCK},
        "complaints": [TRACKING],
        "orders": {"express": {"amount": 16, "goods_value": 400}},
        "channels": {"hotline": {"team": "customer_service"}},
        "staff": [{"name": "desk", "people": 3, "teams": ["customer_service", "managers"]}],
        "work": {kind: {"mean": "30m", "shape": "exponential"} for kind in ("answer", "assign", "assess", "offer")}
        | dict.fromkeys(("approve", "resolve"), "10m"),
        **changes,
    }


def scenario(**changes: Any) -> Scenario:
    """Return such a scenario."""
    return Scenario.model_validate(written(**changes))


def played(world: Scenario, seed: int = 1) -> Tally:
    """Return the figures of one run."""
    return Run(world, in_force(), seed).play()
