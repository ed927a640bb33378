"""Activities that share their code and are named by data: the steps of partners, and look-ups."""

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.outcomes import REFUSED
from activities.refunds import Refunds
from activities.steps import Steps, find_of, step_of
from activities.verification import Verification
from activities.warehouse import Warehouse
from cases.look_ups import ROWS
from cases.partner_calls import Contact, LookUp, Receipt, ReceiptState, StepCommand, Trail, TrailState
from cases.policy.remedy_kinds import STEP_PARTNERS
from cases.state.finding import PartialFinding
from cases.vocabulary import PARTNERS, Partner, RemedyKind
from partners.ports import PartnerRefused
from tests.fakes import FakePartners, FakeSteps, Turn

ORDER = LookUp(case_id="HL-1", order_id="SO-1")


def name_of(activity: Any) -> str:
    return str(getattr(activity, "__temporal_activity_definition").name)


def named(activities: list[Any]) -> dict[str, Any]:
    return {name_of(each): each for each in activities}


def look_ups(partners: FakePartners) -> dict[str, Any]:
    """The activities that ask one partner again."""
    verification = Verification(partners, None, {})  # type: ignore[arg-type]  # our records are not asked
    return named([each for partner in PARTNERS for each in verification.again(partner)])


async def test_partner_that_only_carries_out_steps_needs_no_class() -> None:
    port, environment = FakeSteps(), ActivityEnvironment()
    activities = named(Steps("installation", port).activities())
    command = StepCommand(
        key="HL-1/1/o1/rectification",
        case_id="HL-1",
        step="rectification",
        kind=RemedyKind.RECTIFICATION,
        order_id="SO-1",
        contact=Contact(name="Wang Li"),
    )

    receipt = await environment.run(activities["installation-step"], command)

    assert receipt == Receipt(reference="R-1", state=ReceiptState.ACCEPTED)
    assert await environment.run(activities["installation-find"], command.key) == receipt
    assert await environment.run(activities["installation-find"], "another") is None


def test_partners_of_the_ledger_have_the_same_names() -> None:
    for partner, special in ((Partner.REFUNDS, Refunds), (Partner.WAREHOUSE, Warehouse)):
        assert (name_of(special.carry_out), name_of(special.find)) == (step_of(partner), find_of(partner))
    assert {partner.value for partner in STEP_PARTNERS} == {"refunds", "warehouse", "logistics", "installation"}


async def test_each_look_up_can_be_repeated_separately() -> None:
    partners, environment = FakePartners(), ActivityEnvironment()
    partners.logistics.knows = Trail(state=TrailState.LOST)
    activities = look_ups(partners)

    assert set(activities) == {"logistics-trail", "warehouse-record", "installation-record"}
    assert await environment.run(activities["logistics-trail"], ORDER) == partners.logistics.knows
    assert await environment.run(activities["warehouse-record"], ORDER) is None


async def test_refused_look_up_is_not_repeated() -> None:
    partners = FakePartners()
    partners.installation.when_looked_up(Turn(raises=PartnerRefused("no such order")))
    activities = look_ups(partners)

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activities["installation-record"], ORDER)
    assert (raised.value.type, raised.value.non_retryable) == (REFUSED, True)


def test_results_of_look_ups_are_fields_of_the_finding() -> None:
    assert set.union(*(set(row.establishes) for row in ROWS.values())) <= set(PartialFinding.model_fields)


def test_look_up_has_one_name() -> None:
    """The activity's name and the published address differ, because they were published before the rename."""
    old = {row.activity for row in ROWS.values()} - {f"{row.partner}-{name}" for name, row in ROWS.items()}
    assert old == {"warehouse-record", "installation-record"}
    moved = {row.path for row in ROWS.values()} - {f"{row.partner}/{name}" for name, row in ROWS.items()}
    assert moved == {"installation/record"}
