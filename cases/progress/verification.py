"""Answers to look-ups, which become part of the finding (G3)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from cases.look_ups import ROWS, LookUpName
from cases.partner_calls import InstallationRecord, Trail, Wire
from cases.progress.assessing import consider, consider_soon, granted
from cases.state.account import Account
from cases.state.case import Case
from cases.state.finding import PartialFinding, from_installation, from_trail
from cases.vocabulary import Status


def looked_up(case: Case, what: str, answer: Wire | None, at: datetime, *, fresh: bool = False) -> None:
    """Apply a partner's answer to the look-up `what` (G3). None: it has no record, or could not be asked.

    `fresh`: the order's account was read together with the answer (S35).
    """
    if what in case.looking_up:
        case.looking_up.remove(what)
    if case.closing:
        return
    if answer is not None:
        case.look_ups = case.look_ups.model_copy(update={what: answer})
        if established := ESTABLISHED_BY.get(what):
            case.add_to_finding(established(case, answer, at), what, at)
    if case.looking_up or case.offers or case.merged_into:
        return
    late = case.status is Status.ASSESSING and answer is not None
    if case.status is Status.RECEIVED or (late and granted(case).options):
        if fresh:
            consider(case, at)
        else:
            consider_soon(case, at)


def not_found(case: Case, what: str, why: str, at: datetime) -> None:
    """Record that a look-up failed until its retries ended. A person assesses without it."""
    case.note("not found", at, f"{what}: {why}")


def account_read(case: Case, account: Account) -> None:
    """Set the order's account, which was just read from the ledger (S35)."""
    case.account = account


def _by_trail(case: Case, trail: Wire, at: datetime) -> PartialFinding:
    """Return the facts in the tracking history. With a search in the policy, only that can rule out a loss (E13)."""
    if not isinstance(trail, Trail):
        return PartialFinding()
    found = from_trail(trail, case.complaint, at, _zone(case), case.policy.stalled)
    searched = any(i.establishes == "lost" for i in case.policy.investigations)
    return found.model_copy(update={"lost": None}) if searched and not found.lost else found


def _by_installation(case: Case, record: Wire, at: datetime) -> PartialFinding:
    return from_installation(record, at, _zone(case)) if isinstance(record, InstallationRecord) else PartialFinding()


def _zone(case: Case) -> ZoneInfo:
    return ZoneInfo(case.policy.timezone)


ESTABLISHED_BY: Mapping[str, Callable[[Case, Wire, datetime], PartialFinding]] = {
    LookUpName.TRAIL: _by_trail,
    LookUpName.INSTALLATION: _by_installation,
}
"""Functions that derive facts from an answer, for every look-up whose row has `establishes`."""

if set(ESTABLISHED_BY) != {name for name, row in ROWS.items() if row.establishes}:
    raise ValueError(f"{__file__}: ESTABLISHED_BY must have exactly the look-ups whose row has `establishes`")
