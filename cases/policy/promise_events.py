"""The events that keep promises, each with what is true of every promise that it keeps.

`KEPT_WHEN` says which event keeps a promise of which name, and a policy's rule (`starts`) which event begins it.
`cases.progress.promises` applies this table to a case.
"""

from collections.abc import Collection
from typing import NamedTuple

from cases.policy.remedy_kinds import CREWS, MONEY, RETURNS, SHIPMENTS
from cases.vocabulary import KeptWhen, RemedyKind


class PromiseEvent(NamedTuple):
    """What is true of the promises that one event keeps."""

    steps: tuple[Collection[RemedyKind], ...] = ()
    """The kinds of steps that bring it about: the first of which the case has any. Empty: it is no matter of steps."""
    independent: bool = False
    """It can happen while the case waits for something else, such as evidence or a blocked step."""
    owed_again: bool = False
    """A customer who is not satisfied is promised it anew (S10)."""
    of_each_complaint: bool = False
    """Each complaint is owed it by its own case, also where another case handles the complaint (G12)."""


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
"""Every event that keeps a promise."""
