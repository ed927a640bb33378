"""Policies to move a case to, and cases to be moved."""

from datetime import datetime
from typing import Any

from cases.policy.policy import Policy
from tests.cases.lines import FOOD, GREENS, PHOTO
from tests.cases.world import World, in_force, open_case

EDITED = "2026-12+edited"


def edited(line: str = "building_materials", *, without: tuple[str, ...] = (), **within: str) -> Policy:
    """The policy of a line in which promises have other times, or are gone."""
    policy = in_force()[line]
    promises = [
        rule.model_copy(update={"within": within.get(rule.name, rule.within)})
        for rule in policy.promises
        if rule.name not in without
    ]
    return changed(policy, promises=promises)


def changed(policy: Policy, **parts: Any) -> Policy:
    """The policy in which some parts say something else."""
    return policy.model_copy(update={"version": EDITED, **parts})


def pausable(policy: Policy, *, yes: bool) -> Policy:
    return changed(policy, promises=[r.model_copy(update={"pausable": yes}) for r in policy.promises])


def spoiled() -> World:
    """A case whose solution, due in 24 hours, is paused from the start: a photo was asked for."""
    return open_case("goods.damage", line="fresh_food", order=FOOD, affected=GREENS)


def organic(received: datetime) -> World:
    return open_case(
        "goods.damage", line="organic_food", order=FOOD, affected=GREENS, evidence=[PHOTO], received=received
    )


def silence(**terms: Any) -> Policy:
    policy = in_force()["building_materials"]
    return changed(policy, silence=policy.silence.model_copy(update=terms))
