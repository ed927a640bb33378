"""A case changes its status by the transitions of one table, which is published as a page."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from cases.inbox import same_matter
from cases.inbox.same_matter import CaseClosed
from cases.state.case import Case
from cases.state.letter import Audience
from cases.state.status import NOTHING_OFFERED, TRANSITIONS, UNDECIDED, allowed
from cases.vocabulary import Outcome, Status
from docs.statuses import PAGE, page
from tests.cases.world import World, a_trail, open_case

CUSTOMER = {Audience.CUSTOMER}
WITHIN_LIMITS = [{"key": "a", "remedies": [{"kind": "explanation"}]}]
BEYOND_LIMITS = [{"key": "a", "remedies": [{"kind": "coupon", "amount": "2000.00"}]}]


def received() -> World:
    return open_case("transport.delay", looked_up=False)


def awaiting_evidence() -> World:
    return open_case("goods.damage", line="fresh_food")


def awaiting_approval() -> World:
    world = open_case()
    world.says("propose", options=BEYOND_LIMITS, by="li")
    return world


def offering() -> World:
    world = open_case(down=CUSTOMER)
    world.says("assess", severity="severe")
    return world


def awaiting_consent() -> World:
    world = open_case()
    world.says("assess", severity="severe")
    return world


AT: dict[Status, Callable[[], World]] = {
    Status.RECEIVED: received,
    Status.ASSESSING: open_case,
    Status.AWAITING_EVIDENCE: awaiting_evidence,
    Status.AWAITING_APPROVAL: awaiting_approval,
    Status.OFFERING: offering,
    Status.AWAITING_CONSENT: awaiting_consent,
}
"""A case in each status in which nothing is decided yet."""


def test_there_is_a_case_for_every_status_in_which_nothing_is_decided() -> None:
    assert {status: begin().status for status, begin in AT.items()} == {status: status for status in UNDECIDED}


@pytest.mark.parametrize("status", AT)
def test_a_complaint_can_be_withdrawn_from_every_undecided_status(status: Status) -> None:
    world = AT[status]()

    world.says("complaint-withdrawn")

    assert world.comes_back(Audience.CUSTOMER).status is Status.CLOSED


@pytest.mark.parametrize("status", AT)
def test_a_case_can_be_merged_from_every_undecided_status(status: Status) -> None:
    """G12."""
    world = AT[status]()

    same_matter.merge(world.case, "HL-0", world.now)
    merged = world.status
    same_matter.close_with(world.case, CaseClosed(case="HL-0", outcome=Outcome.SATISFIED), world.now)

    assert (merged, world.status) == (Status.RECEIVED, Status.CLOSED)


@pytest.mark.parametrize("status", AT)
@pytest.mark.parametrize(
    ("options", "then"), [(WITHIN_LIMITS, Status.OFFERING), (BEYOND_LIMITS, Status.AWAITING_APPROVAL)]
)
def test_an_agent_can_propose_in_every_undecided_status(status: Status, options: list[object], then: Status) -> None:
    """G4."""
    world = AT[status]()
    world.down = CUSTOMER

    world.says("propose", options=options, by="li")

    assert world.status is then


@pytest.mark.parametrize("status", sorted({*NOTHING_OFFERED, Status.AWAITING_APPROVAL}))
def test_a_finding_that_grants_nothing_leads_to_an_assessment_by_a_person(status: Status) -> None:
    """G3."""
    world = AT[status]()

    world.says("assess", cause="crushed")

    assert world.status is Status.ASSESSING


def test_an_offer_that_had_expired_can_be_accepted_while_the_case_is_assessed_again() -> None:
    """G5: a step that was begun at once is replaced meanwhile, and the customer's late yes still counts."""
    world = open_case("transport.loss", trail=a_trail(state="lost"), answers={"carrier_claim": "accepted"})
    world.after(days=7)
    world.says("step-reported", step="carrier_claim", state="failed")
    world.says("resolve-step", step="carrier_claim", action="replace", reason="the carrier is bankrupt", by="li")
    assert world.status is Status.ASSESSING

    world.says("customer-approved", option=world.offer.options[0].key)

    assert world.offer.accepted


@pytest.mark.parametrize("begin", [offering, awaiting_consent])
def test_an_offer_can_be_declined_before_and_after_its_delivery(begin: Callable[[], World]) -> None:
    """S19."""
    world = begin()

    world.says("customer-declined", reason="too little")

    assert world.status is Status.ASSESSING


# The table itself


@pytest.mark.parametrize("source", Status)
@pytest.mark.parametrize("target", Status)
def test_a_case_makes_no_transition_but_those_of_the_table(source: Status, target: Status) -> None:
    case = open_case().case.model_copy(update={"status": source})

    if allowed(source, target):
        case.enter(target)
        assert case.status is target
    else:
        with pytest.raises(RuntimeError, match=f"cannot go from {source} to {target}"):
            case.enter(target)
        assert case.status is source


def test_a_closed_case_stays_closed() -> None:
    """G12: it is never reopened; a follow-up is a separate case."""
    assert [status for status in Status if allowed(Status.CLOSED, status)] == [Status.CLOSED]


def test_nothing_but_enter_changes_a_status() -> None:
    case: Case = open_case().case

    with pytest.raises(ValidationError, match="frozen"):
        setattr(case, "status", Status.CLOSED)  # noqa: B010 (mypy refuses the plain assignment, too)


def test_a_changed_status_is_carried_over_by_continue_as_new() -> None:
    assert awaiting_consent().continues_as_new().status is Status.AWAITING_CONSENT


def test_no_transition_leads_back_to_where_it_starts() -> None:
    assert not [t for t in TRANSITIONS if t.target in t.sources or not t.sources]


def test_the_page_draws_every_transition() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m docs.statuses"
