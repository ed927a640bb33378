"""A case that an operator resets forgets what it has sent; the order's ledger does not (S25)."""

from typing import Any

from partners.ports import PartnerRefused
from records import EntryState, Records
from tests.engine import OpenCase, step
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open, agreed


async def paid(case: OpenCase) -> dict[str, Any]:
    """Wait for the coupon; the snapshot."""
    return await case.until(lambda c: step(c, "coupon")["state"] == "done")


async def test_reset_case_that_has_forgotten_its_last_key_takes_what_was_paid_under_it(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S25: the first key was refused, the second was paid; neither is sent again."""
    partners.refunds.will(Turn(raises=PartnerRefused("declined")))
    case = await open_case()
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "coupon")["state"] == "blocked")
    await case.says("resolve-step", step="coupon", action="retry", reason="try again", by="Zhao")
    before = await paid(case)

    await case.reset("refunds-step")
    seen = await paid(case)

    key = f"{case.id}/1/o1/coupon"
    assert [command.key for command in partners.refunds.commands] == [key, f"{key}/2"]
    assert step(seen, "coupon")["key"] == f"{key}/2"
    assert step(seen, "coupon")["reference"] == step(before, "coupon")["reference"]
    assert {e["key"]: e["state"] for e in records.entries(case.id)} == {
        key: EntryState.RELEASED,
        f"{key}/2": EntryState.COMMITTED,
    }


async def test_reset_case_asks_before_it_pays_again(open_case: Open, partners: FakePartners) -> None:
    """S25: a partner may have forgotten the key after a day, and would pay twice."""
    case = await open_case()
    await agreed(case, "minor")
    await paid(case)

    await case.reset("refunds-step")
    await paid(case)

    assert len(partners.refunds.commands) == 1
    assert partners.refunds.asked == [f"{case.id}/1/o1/coupon"]
