"""The events that keep promises, each with the properties of the promises that it keeps.

`KEPT_WHEN` has the event that keeps a promise of each name. A policy's rule (`starts`) has the event that begins it.
`cases.progress.promises` applies this table to a case.
"""

from collections.abc import Collection
from typing import NamedTuple

from cases.policy.remedy_kinds import CREWS, MONEY, RETURNS, SHIPMENTS
from cases.vocabulary import KeptWhen, RemedyKind


class PromiseEvent(NamedTuple):
    """The properties of the promises that one event keeps."""

    steps: tuple[Collection[RemedyKind], ...] = ()
    """Groups of step kinds that cause the event. The first group of which the case has steps counts. Empty: none do."""
    independent: bool = False
    """Whether it can happen while the case waits for something else, such as evidence or a blocked step."""
    owed_again: bool = False
    """Whether the promise is made again to a customer who is not satisfied (S10)."""
    of_each_complaint: bool = False
    """Whether each case owes it to its own customer, even if another case handles the complaint (G12)."""


_K = KeptWhen
EVENTS: dict[KeptWhen, PromiseEvent] = {
    _K.CUSTOMER_REACHED: PromiseEvent(independent=True, of_each_complaint=True),
    _K.OFFER_DELIVERED: PromiseEvent(owed_again=True),
    _K.PLAN_DELIVERED: PromiseEvent(independent=True),
    _K.UPDATE_DELIVERED: PromiseEvent(independent=True),
    _K.OWNER_NAMED: PromiseEvent(independent=True),
    _K.CREW_DISPATCHED: PromiseEvent(steps=(CREWS,), independent=True),
    _K.MADE_GOOD: PromiseEvent(steps=(SHIPMENTS, RETURNS, MONEY)),
    _K.ON_ITS_WAY: PromiseEvent(steps=(SHIPMENTS, MONEY), owed_again=True),
    _K.PAID: PromiseEvent(steps=(MONEY,)),
    _K.CARRIED_OUT: PromiseEvent(owed_again=True),
}
"""All events that keep promises."""
