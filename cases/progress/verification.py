"""What the partners answer to a look-up becomes part of the finding (G3)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from cases.partner_calls import DispatchRecord, InstallationRecord, Trail
from cases.progress.assessing import consider, granted
from cases.state.account import Account
from cases.state.case import Case
from cases.state.finding import PartialFinding, from_installation, from_trail
from cases.vocabulary import Status


def looked_up(case: Case, what: str, answer: Trail | DispatchRecord | InstallationRecord | None, at: datetime) -> None:
    """A partner answered a look-up (G3); None: it knows of nothing, or could not be asked."""
    if what in case.looking_up:
        case.looking_up.remove(what)
    if case.closing:
        return
    if answer is not None:
        case.look_ups = case.look_ups.model_copy(update={what: answer})
        if isinstance(answer, Trail):
            case.learn(_as_far_as_it_tells(case, answer, at), "trail", at)
        elif isinstance(answer, InstallationRecord):
            case.learn(from_installation(answer, at, ZoneInfo(case.policy.timezone)), "installation", at)
    if case.looking_up or case.offers or case.merged_into:
        return
    late = case.status is Status.ASSESSING and answer is not None
    if case.status is Status.RECEIVED or (late and granted(case).options):
        consider(case, at)


def not_found(case: Case, what: str, why: str, at: datetime) -> None:
    """A partner could not be asked for as long as a look-up is tried: a person assesses without it."""
    case.note("not found", at, f"{what}: {why}")


def account_read(case: Case, account: Account) -> None:
    """Our records say what the order's other cases have taken by now (S35)."""
    case.account = account


def _as_far_as_it_tells(case: Case, trail: Trail, at: datetime) -> PartialFinding:
    """What the trail shows; that a parcel is not lost it cannot show where a search has to establish it (E13)."""
    zone = ZoneInfo(case.policy.timezone)
    found = from_trail(trail, case.complaint, at, zone, case.policy.stalled)
    searched = any(i.establishes == "lost" for i in case.policy.investigations)
    return found.model_copy(update={"lost": None}) if searched and not found.lost else found
