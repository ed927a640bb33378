"""What partners are asked about an order before anything is offered (G3), one row for each look-up.

Its name is the same everywhere: in policies (`look_up`), in the snapshot, at the port, in the sandbox and in its
address. Only what was published before may differ: the name of an activity, for open cases, and the last part of an
address, for partners.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from cases.partner_calls import DispatchRecord, InstallationRecord, Trail, Wire
from cases.vocabulary import Partner


class LookUpName(StrEnum):
    """The look-ups that a policy can name."""

    TRAIL = "trail"
    DISPATCH = "dispatch"
    INSTALLATION = "installation"


class LookUps(BaseModel):
    """What the partners answered; None: not asked, not answered yet, or the partner knows of nothing."""

    trail: Trail | None = None
    dispatch: DispatchRecord | None = None
    installation: InstallationRecord | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """The facts of one look-up."""

    partner: Partner
    """Who is asked."""
    answer: type[Wire]
    establishes: frozenset[str]
    """The fields of the finding that its answer may establish (`cases.progress.verification`)."""
    activity: str
    """The activity that asks again after a first failure. Never changed: recorded cases name it."""
    path: str
    """Where it is asked, below the partners' address: `<partner>/<name>`, or as it was published."""
    by_parcel: bool = False
    """Asked for the order's parcel as well, by its tracking number."""


ROWS: Mapping[str, Row] = {
    LookUpName.TRAIL: Row(
        partner=Partner.LOGISTICS,
        answer=Trail,
        establishes=frozenset({"lost", "days_late", "hours_late", "cause"}),
        activity="logistics-trail",
        path="logistics/trail",
        by_parcel=True,
    ),
    LookUpName.DISPATCH: Row(
        partner=Partner.WAREHOUSE,
        answer=DispatchRecord,
        establishes=frozenset(),
        activity="warehouse-record",
        path="warehouse/dispatch",
    ),
    LookUpName.INSTALLATION: Row(
        partner=Partner.INSTALLATION,
        answer=InstallationRecord,
        establishes=frozenset({"days_late", "cause"}),
        activity="installation-record",
        path="installation/record",
    ),
}

if not set(LookUpName) == set(ROWS) == set(LookUps.model_fields):
    raise ValueError(f"{__file__}: every look-up has a name, a row and a field of LookUps, in the same words")
