"""Each switch does what it says, for the requests it names, as often as it says."""

from typing import Any

import pytest

from partners.http import Partners
from partners.ports import OutcomeUnknown, PartnerError, PartnerRefused, TryAgain
from partners.sandbox.switches import Fault, FaultKind, Faults
from tests.partners.running import ORDER, RunningSandbox, command, talk_to


@pytest.mark.parametrize(
    ("fault", "error", "paid"),
    [
        ({"kind": "error"}, OutcomeUnknown, {}),
        ({"kind": "error", "status": 403}, TryAgain, {}),
        ({"kind": "rate_limit", "seconds": 3}, TryAgain, {}),
        ({"kind": "down"}, TryAgain, {}),
        ({"kind": "refuse"}, PartnerRefused, {}),
        ({"kind": "nonsense"}, OutcomeUnknown, {"refund": "640.00"}),
    ],
)
async def test_each_fault_carries_the_step_out_or_not(
    partners: Partners, sandbox: RunningSandbox, fault: dict[str, Any], error: type[PartnerError], paid: dict[str, str]
) -> None:
    await sandbox.fault(**fault)

    with pytest.raises(PartnerError) as caught:
        await partners.steps["refunds"].carry_out(command())

    assert type(caught.value) is error
    assert getattr(caught.value, "retry_after", None) == fault.get("seconds")
    assert await sandbox.money() == paid
    assert [row["fault"] for row in await sandbox.rows("calls")] == [fault["kind"]]


@pytest.mark.parametrize("status", [400, 409, 423, 425, 500])
async def test_command_is_carried_out_and_answered_with_any_status(
    partners: Partners, sandbox: RunningSandbox, status: int
) -> None:
    """S25: used by the fault suite."""
    await sandbox.fault("commit_then_status", partner="refunds", status=status, count=1)

    with pytest.raises(PartnerError):
        await partners.steps["refunds"].carry_out(command())

    assert await sandbox.money() == {"refund": "640.00"}
    found = await partners.steps["refunds"].find(command().key)
    assert found is not None
    assert found.state == "done"


async def test_command_is_carried_out_and_answered_as_failed(partners: Partners, sandbox: RunningSandbox) -> None:
    """S26: used by the fault suite."""
    await sandbox.fault("commit_then_failed", partner="refunds", count=1)

    answered = await partners.steps["refunds"].carry_out(command())

    found = await partners.steps["refunds"].find(command().key)
    assert found is not None
    assert (answered.state, found.state, answered.reference) == ("failed", "done", found.reference)
    assert await sandbox.money() == {"refund": "640.00"}


async def test_payment_is_taken_back_by_a_report(partners: Partners, sandbox: RunningSandbox) -> None:
    """S27: payments are not reported unless the order's fixture says so."""
    taken_back = [{"state": "failed", "after": 0, "detail": "account closed"}]
    await sandbox.order(reports_by_kind={"refund": taken_back})

    answered = await partners.steps["refunds"].carry_out(command())

    found = await partners.steps["refunds"].find(command().key)
    assert found is not None
    assert (answered.state, found.state, found.detail) == ("done", "failed", "account closed")
    assert [row["payload"]["state"] for row in await sandbox.rows("reports")] == ["failed"]


async def test_slow_partner_acts_before_it_answers(sandbox: RunningSandbox) -> None:
    await sandbox.fault("slow", seconds=0.05)

    async with talk_to(sandbox.url) as partners:
        await partners.steps["refunds"].carry_out(command())

    assert await sandbox.money() == {"refund": "640.00"}


async def test_fault_ends_after_its_count(partners: Partners, sandbox: RunningSandbox) -> None:
    await sandbox.fault("down", count=2)

    for _ in range(2):
        with pytest.raises(TryAgain):
            await partners.steps["refunds"].carry_out(command())
    await partners.steps["refunds"].carry_out(command())

    assert await sandbox.money() == {"refund": "640.00"}


async def test_fault_lasts_until_it_is_cleared(partners: Partners, sandbox: RunningSandbox) -> None:
    await sandbox.fault("down")
    for _ in range(3):
        with pytest.raises(TryAgain):
            await partners.look_ups.look_up("trail", ORDER)

    await sandbox.clear()

    assert await partners.look_ups.look_up("trail", ORDER) is None


async def test_fault_affects_only_its_partner_and_kind(partners: Partners, sandbox: RunningSandbox) -> None:
    await sandbox.fault("refuse", partner="refunds", step_kind="refund")

    await partners.steps["refunds"].carry_out(command("compensation", amount="1.00"))
    await partners.steps["warehouse"].carry_out(command("gift"))
    with pytest.raises(PartnerRefused):
        await partners.steps["refunds"].carry_out(command("refund"))


async def test_misspelt_switch_is_refused(sandbox: RunningSandbox) -> None:
    answer = await sandbox.admin.post("/_sandbox/faults", json={"kind": "down", "partners": "refunds"})

    assert answer.status_code == 422
    assert "partners" in answer.json()["detail"]


def hits(probability: float, seed: int) -> list[bool]:
    faults = Faults()
    faults.add(Fault(kind=FaultKind.DOWN, probability=probability, seed=seed))
    return [faults.next("refunds", "POST", None) is not None for _ in range(200)]


def test_probability_of_a_fault_is_repeatable_by_its_seed() -> None:
    assert hits(0.3, 7) == hits(0.3, 7)
    assert hits(0.3, 7) != hits(0.3, 8)
    assert 20 < sum(hits(0.3, 7)) < 100
    assert all(hits(1.0, 7))


@pytest.mark.parametrize("kind", ["commit_then_timeout", "commit_then_status", "commit_then_failed", "refuse"])
def test_look_ups_are_not_affected_by_faults_of_commands(kind: str) -> None:
    faults = Faults()
    faults.add(Fault.model_validate({"kind": kind, "count": 1}))

    assert faults.next("refunds", "GET", None) is None
    assert faults.next("refunds", "POST", None) is not None
