"""The statuses of a case, and all transitions between them.

`docs/statuses.md` is generated from this table.
"""

from collections.abc import Iterable
from typing import NamedTuple

from cases.vocabulary import Status

NOTHING_OFFERED = frozenset({Status.RECEIVED, Status.ASSESSING, Status.AWAITING_EVIDENCE})
"""Statuses in which the finding is still being established."""

UNDECIDED = NOTHING_OFFERED | {Status.AWAITING_APPROVAL, Status.OFFERING, Status.AWAITING_CONSENT}
"""Statuses in which a new finding or another offer can still change what will be done."""


class Transition(NamedTuple):
    """A transition from any of `sources` to `target`, and when it happens."""

    sources: frozenset[Status]
    target: Status
    when: str


def _of(sources: Iterable[Status], target: Status, when: str) -> Transition:
    return Transition(frozenset(sources) - {target}, target, when)


_S = Status
TRANSITIONS = (
    _of([_S.RECEIVED], _S.AWAITING_EVIDENCE, "the customer has been asked for evidence"),
    _of(UNDECIDED, _S.ASSESSING, "the policy grants nothing automatically, or the finding is incomplete"),
    _of([_S.AWAITING_APPROVAL], _S.ASSESSING, "the offer was not approved"),
    _of([_S.OFFERING, _S.AWAITING_CONSENT, _S.EXECUTING], _S.ASSESSING, "the customer declined the offer"),
    _of([_S.EXECUTING], _S.ASSESSING, "the steps are settled, and another offer is needed"),
    _of([_S.FOLLOWING_UP], _S.ASSESSING, "the customer is dissatisfied, or a second complaint has to be judged"),
    _of(UNDECIDED, _S.AWAITING_APPROVAL, "an offer needs approval"),
    _of(UNDECIDED, _S.OFFERING, "an offer goes to the customer"),
    _of([_S.OFFERING], _S.AWAITING_CONSENT, "the offer was delivered"),
    _of([_S.OFFERING, _S.AWAITING_CONSENT], _S.EXECUTING, "the offer was accepted, or needs no consent"),
    _of([_S.ASSESSING], _S.EXECUTING, "the customer accepted an offer that had expired"),
    _of([_S.AWAITING_CONSENT], _S.EXECUTING, "the offer expired; what was begun at once is completed"),
    _of([_S.FOLLOWING_UP], _S.EXECUTING, "a partner reported a completed step as failed"),
    _of([_S.EXECUTING], _S.FOLLOWING_UP, "all steps are settled"),
    _of(UNDECIDED, _S.RECEIVED, "an older case handles the complaint"),
    _of(set(_S), _S.CLOSED, "the report was delivered, or the case that handles the complaint has closed"),
)
"""All transitions. Keeping the same status is not a transition."""


def allowed(source: Status, target: Status) -> bool:
    """Return whether a case may change from one status to the other. Keeping the same status is allowed."""
    return source is target or any(t.target is target and source in t.sources for t in TRANSITIONS)
