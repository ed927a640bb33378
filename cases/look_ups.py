"""The look-ups: questions to partners about an order before an offer is made (G3). Each has one row in `ROWS`.

A look-up has the same name everywhere: in policies (`look_up`), in the snapshot, at the port, in the sandbox and in
its URL. Two names that were published earlier may differ: the activity's, which open cases use, and the last part of
the URL, which partners use.
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
    """The partners' answers. None: not asked, not answered yet, or the partner has no record."""

    trail: Trail | None = None
    dispatch: DispatchRecord | None = None
    installation: InstallationRecord | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """The properties of one look-up."""

    partner: Partner
    """The partner that is asked."""
    answer: type[Wire]
    establishes: frozenset[str]
    """The fields of the finding that its answer may establish (`cases.progress.verification`)."""
    activity: str
    """The activity that repeats the question after a first failure. Never change it: recorded histories contain it."""
    path: str
    """The URL path below the partners' address: `<partner>/<name>`, or the path that was published earlier."""
    by_parcel: bool = False
    """Whether the question also contains the parcel's tracking number."""


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
    raise ValueError(f"{__file__}: LookUpName, ROWS and the fields of LookUps must have the same names")
