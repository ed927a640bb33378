"""Which promises the steps of an accepted offer keep, and which have nothing left to keep (B3, F4, O5, E4)."""

from collections.abc import Collection
from datetime import datetime

from cases.case import Case
from cases.names import MONEY, SHIPMENTS, VISITS, KeptWhen, RemedyKind, StepState
from cases.step import CHECK, PRECAUTION, Step

CREWS = VISITS - {RemedyKind.INSPECTION}
"""Visits that put things right; an inspection only looks."""

RETURNS = frozenset({RemedyKind.COLLECTION})

KEPT_BY_STEPS: dict[KeptWhen, tuple[Collection[RemedyKind], ...]] = {
    KeptWhen.CREW_DISPATCHED: (CREWS,),
    KeptWhen.MADE_GOOD: (SHIPMENTS, RETURNS, MONEY),
    KeptWhen.ON_ITS_WAY: (SHIPMENTS, MONEY),
    KeptWhen.PAID: (MONEY,),
}
"""The kinds of steps that keep a promise, the first of which the case has any."""


def steps_moved(case: Case, at: datetime) -> None:
    """A step has got further: keep what it keeps."""
    for event, choices in KEPT_BY_STEPS.items():
        steps = next((found for kinds in choices if (found := _agreed(case, kinds))), [])
        if steps and all(_enough(event, step) for step in steps):
            case.keep(event, at)


def nothing_to_keep(case: Case, at: datetime) -> None:
    """An offer was accepted: a promise that none of its steps can keep is not owed any more."""
    for promise in case.promises:
        choices = KEPT_BY_STEPS.get(promise.kept_by)
        if choices and not any(_agreed(case, kinds) for kinds in choices):
            promise.lapse(at)


def _agreed(case: Case, kinds: Collection[RemedyKind]) -> list[Step]:
    """Steps of these kinds that the present cycle owes the customer."""
    idle = (CHECK, PRECAUTION)
    return [
        s
        for s in case.steps
        if s.kind in kinds and s.cycle == case.cycle and s.offer not in idle and s.state is not StepState.WAIVED
    ]


def _enough(event: KeptWhen, step: Step) -> bool:
    if step.kind in VISITS:
        return step.state in (StepState.DISPATCHED, StepState.DONE)
    return step.booked if event is KeptWhen.MADE_GOOD and step.kind in RETURNS else step.left
