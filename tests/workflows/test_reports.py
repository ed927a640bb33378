"""A report on a step counts at any time: before the answer, after a time-out, on an earlier try (S13)."""

import asyncio
from dataclasses import replace

import pytest

from cases.partner_calls import ReceiptState
from cases.reasons import Reason
from partners.ports import OutcomeUnknown, PartnerRefused
from records import EntryState, Records
from tests.engine import OpenCase, eventually, step
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open, agreed

TIMED_OUT = OutcomeUnknown("no answer within 8 s")


async def replacing(open_case: Open, partners: FakePartners) -> OpenCase:
    """A case whose replacement has been requested from the warehouse."""
    case = await open_case()
    await agreed(case, "moderate")
    await eventually(lambda: _any(partners.warehouse.commands), "the call")
    return case


async def paying(open_case: Open, partners: FakePartners) -> OpenCase:
    """A case whose coupon has been requested from the payment partner."""
    case = await open_case()
    await agreed(case, "minor")
    await eventually(lambda: _any(partners.refunds.commands), "the call")
    return case


async def unknown_coupon(open_case: Open, partners: FakePartners, answer: asyncio.Event, *, paid: bool) -> OpenCase:
    """A case whose coupon has an unknown outcome; once `answer` is set, the partner says whether it was paid."""
    partners.refunds.will(Turn(raises=TIMED_OUT, done=paid))
    silent = Turn(until=answer)
    partners.refunds.when_asked(silent, silent)  # the second one while the case waits before it is archived
    case = await open_case()
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "coupon")["state"] == "unknown")
    return case


async def test_report_that_overtakes_a_call_which_then_times_out_is_not_taken_back(
    open_case: Open, partners: FakePartners
) -> None:
    """S13: a step that is reported as done is not looked up, and needs no person."""
    answer = asyncio.Event()
    partners.warehouse.will(Turn(until=answer, raises=TIMED_OUT, done=True))
    case = await replacing(open_case, partners)

    await case.signals("step-reported", step="replacement", state="done", by="warehouse")
    await case.until(lambda c: step(c, "replacement")["state"] == "done")
    answer.set()
    await case.until(lambda c: step(c, "collection")["reference"])
    await case.at_rest()

    seen = await case.snapshot()
    assert step(seen, "replacement")["state"] == "done"
    assert partners.warehouse.asked == []
    assert not {"step unknown", "step blocked"} & {entry["what"] for entry in seen["timeline"]}


CONTRADICTIONS = {
    "refused": Turn(raises=PartnerRefused("card closed")),
    "failed": Turn(state=ReceiptState.FAILED),
}


@pytest.mark.parametrize("answers", CONTRADICTIONS)
@pytest.mark.parametrize("books", [ReceiptState.DONE, ReceiptState.FAILED, None])
async def test_answer_that_contradicts_a_report_is_settled_by_key_or_goes_to_a_person(
    open_case: Open, partners: FakePartners, records: Records, answers: str, books: ReceiptState | None
) -> None:
    """S26: reported as done, answered otherwise: the partner's records decide, and nothing is released."""
    late = asyncio.Event()
    partners.refunds.will(replace(CONTRADICTIONS[answers], until=late))
    case = await paying(open_case, partners)
    key = f"{case.id}/1/o1/coupon"
    await case.signals("step-reported", step="coupon", state="done", by="refunds")
    await case.until(lambda c: step(c, "coupon")["state"] == "done")
    partners.refunds.will_find(key, books)
    late.set()
    settled = "done" if books is ReceiptState.DONE else "blocked"

    await eventually(lambda: _any(key in partners.refunds.asked), "the question")
    seen = await case.until(lambda c: step(c, "coupon")["state"] == settled)
    state = EntryState.COMMITTED if settled == "done" else EntryState.CONTESTED
    await eventually(lambda: _any(_states(records, case) == {key: state}), "the ledger")

    assert any(need["what"] == "step_blocked" for need in seen["needs"]) == (settled == "blocked")
    assert len(partners.refunds.commands) == 1


@pytest.mark.parametrize(
    "answers", [Turn(), Turn(raises=TIMED_OUT, done=True)], ids=["it is answered", "the answer is lost"]
)
async def test_partners_number_replaces_the_name_of_who_reported_the_payment(
    open_case: Open, partners: FakePartners, records: Records, answers: Turn
) -> None:
    """S26: in the case and in the ledger, even if the answer with the number is lost."""
    late = asyncio.Event()
    partners.refunds.will(replace(answers, until=late))
    case = await paying(open_case, partners)
    await case.signals("step-reported", step="coupon", state="done", by="refunds")
    reported = await case.until(lambda c: step(c, "coupon")["state"] == "done")
    late.set()

    seen = await case.until(lambda c: step(c, "coupon")["reference"] != "refunds", "the partner's number")
    await case.says("step-reported", step="onsite_repair", state="done")
    await case.says("satisfaction-reported", score=5)
    await case.result()

    (entry,) = records.entries(case.id)
    assert [step(each, "coupon")["reference"] for each in (reported, seen)] == ["refunds", "R-1"]
    assert (entry["state"], entry["reference"]) == (EntryState.COMMITTED, "R-1")


@pytest.mark.parametrize("books", [ReceiptState.DONE, ReceiptState.FAILED])
async def test_record_is_kept_once_a_reported_payment_has_been_answered(
    open_case: Open, partners: FakePartners, records: Records, books: ReceiptState
) -> None:
    """S26: the case is closed by then; record and ledger agree with the answer and with each other."""
    late = asyncio.Event()
    partners.refunds.will(Turn(until=late, state=books))
    case = await paying(open_case, partners)
    await case.signals("step-reported", step="coupon", state="done", by="refunds")
    await case.says("step-reported", step="onsite_repair", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await case.becomes("closed")
    late.set()

    record = await case.result()

    (entry,) = records.entries(case.id)
    kept = records.case(case.id)
    settled = ("done", EntryState.COMMITTED) if books is ReceiptState.DONE else ("blocked", EntryState.CONTESTED)
    assert (step(record, "coupon")["state"], entry["state"]) == settled
    assert books is ReceiptState.FAILED or step(record, "coupon")["reference"] == "R-1"
    assert kept is not None
    assert kept["record"]["steps"] == record["steps"]


async def test_payment_that_is_done_after_it_was_reported_as_failed_is_never_released(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S26: in the opposite order; the reservation stays until the call has been answered."""
    late = asyncio.Event()
    partners.refunds.will(Turn(until=late))
    case = await paying(open_case, partners)
    key = f"{case.id}/1/o1/coupon"
    await case.signals("step-reported", step="coupon", state="failed", by="refunds")
    await case.until(lambda c: step(c, "coupon")["state"] == "blocked")
    before = _states(records, case)
    late.set()

    seen = await case.until(lambda c: step(c, "coupon")["state"] == "done")

    assert before == {key: EntryState.RESERVED}
    assert _states(records, case) == {key: EntryState.COMMITTED}
    assert step(seen, "coupon")["key"] == key


async def test_nothing_is_sent_under_a_new_key_before_the_old_one_has_been_asked_for(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S25: the refusal was wrong, and the retry finds the payment instead of making another."""
    partners.refunds.will(Turn(raises=PartnerRefused("declined"), done=True))
    partners.refunds.when_asked(Turn(raises=PartnerRefused("not today")))
    case = await open_case()
    await agreed(case, "minor")
    key = f"{case.id}/1/o1/coupon"
    await case.until(lambda c: step(c, "coupon")["state"] == "blocked")

    await case.says("resolve-step", step="coupon", action="retry", reason="try again", by="Zhao")
    seen = await case.until(lambda c: step(c, "coupon")["state"] == "done")

    assert partners.refunds.asked == [key, key], "asked until it answers"
    assert [command.key for command in partners.refunds.commands] == [key]
    assert step(seen, "coupon")["key"] == key
    assert _states(records, case) == {key: EntryState.COMMITTED}


async def test_refusal_with_a_reason_frees_what_was_reserved_and_keeps_the_reason(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S15, S26: the case releases it once no report contradicts the refusal."""
    why = Reason.of("partner_says", who="refunds", words="card closed")
    partners.refunds.will(Turn(raises=PartnerRefused(why)))
    case = await open_case()
    await agreed(case, "minor")

    seen = await case.until(lambda c: step(c, "coupon")["state"] == "blocked")
    freed = {f"{case.id}/1/o1/coupon": EntryState.RELEASED}
    await eventually(lambda: _any(_states(records, case) == freed), "the release")

    assert step(seen, "coupon")["reason"] == str(why)


@pytest.mark.parametrize("books", [ReceiptState.DONE, None])
async def test_partner_is_asked_by_key_when_its_reports_contradict_each_other(
    open_case: Open, partners: FakePartners, records: Records, books: ReceiptState | None
) -> None:
    """S26: reported as failed, then as done; its records settle it at once, or a person decides."""
    partners.refunds.will(Turn(state=ReceiptState.ACCEPTED))
    case = await open_case()
    await agreed(case, "minor")
    key = f"{case.id}/1/o1/coupon"
    await case.until(lambda c: step(c, "coupon")["reference"])
    partners.refunds.will_find(key, books)

    await case.says("step-reported", step="coupon", state="failed", by="refunds")
    await case.says("step-reported", step="coupon", state="done", by="refunds")
    await eventually(lambda: _any(partners.refunds.asked == [key]), "the question")
    settled = "done" if books else "blocked"
    seen = await case.until(lambda c: step(c, "coupon")["state"] == settled)
    await case.at_rest()

    assert _states(records, case) == {key: EntryState.COMMITTED if books else EntryState.CONTESTED}
    assert any(need["what"] == "step_blocked" for need in seen["needs"]) is (books is None)
    assert len(partners.refunds.commands) == 1


async def test_payment_that_is_taken_back_is_contested_and_paid_again_by_a_person(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S27: account closed, days later."""
    case = await open_case()
    await agreed(case, "minor")
    key = f"{case.id}/1/o1/coupon"
    await case.until(lambda c: step(c, "coupon")["state"] == "done")
    await case.signals("step-reported", step="coupon", state="failed", detail="account closed", by="refunds")
    seen = await case.until(lambda c: step(c, "coupon")["state"] == "blocked")
    await eventually(lambda: _any(_states(records, case) == {key: EntryState.CONTESTED}), "the ledger")
    partners.refunds.will_find(key, ReceiptState.FAILED)

    await case.says("resolve-step", step="coupon", action="retry", reason="new account", by="Zhao")
    await case.until(lambda c: step(c, "coupon")["state"] == "done")
    freed = {key: EntryState.RELEASED, f"{key}/2": EntryState.COMMITTED}
    await eventually(lambda: _any(_states(records, case) == freed), "the ledger")

    assert any("account closed" in need["text"] for need in seen["needs"])
    assert seen["refused"] == []


async def test_answer_and_daily_question_leave_a_contested_payment_to_a_person(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S26, S27: it is taken back before its call is answered; case and ledger agree until the partner is asked."""
    late = asyncio.Event()
    partners.refunds.will(Turn(until=late))
    case = await paying(open_case, partners)
    key = f"{case.id}/1/o1/coupon"
    await case.signals("step-reported", step="coupon", state="done", by="refunds")
    await case.signals("step-reported", step="coupon", state="failed", detail="account closed", by="refunds")
    contested = {key: EntryState.CONTESTED}
    await eventually(lambda: _any(_states(records, case) == contested), "the ledger")

    late.set()
    await eventually(lambda: _any(records.entries(case.id)[0]["reference"] == "R-1"), "the answer")
    await case.after(days=1)
    await case.at_rest()

    seen = await case.snapshot()
    assert step(seen, "coupon")["state"] == "blocked"
    assert _states(records, case) == contested
    assert partners.refunds.asked == []
    await case.says("resolve-step", step="coupon", action="retry", reason="the partner has paid", by="Zhao")
    await case.until(lambda c: step(c, "coupon")["state"] == "done")
    assert _states(records, case) == {key: EntryState.COMMITTED}


async def test_failure_that_was_reported_before_the_call_is_answered_stands(
    open_case: Open, partners: FakePartners
) -> None:
    """S13: `accepted` is older than `failed`, in any order of arrival."""
    answer = asyncio.Event()
    partners.warehouse.will(Turn(until=answer))
    case = await replacing(open_case, partners)

    await case.signals("step-reported", step="replacement", state="failed", detail="lorry burnt out", by="warehouse")
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    answer.set()
    await case.at_rest()

    seen = await case.snapshot()
    blocked = step(seen, "replacement")
    assert (blocked["state"], blocked["reason"]) == ("blocked", "warehouse says: “lorry burnt out”")
    assert step(seen, "replacement")["key"] == f"{case.id}/1/o1/replacement/2"


async def test_payment_that_was_reported_as_failed_is_not_sent_again_by_an_attempt_in_progress(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S13, S15: its amount is released at once, and a person's retry pays it once, under a new key."""
    answer = asyncio.Event()
    case = await unknown_coupon(open_case, partners, answer, paid=False)
    key = f"{case.id}/1/o1/coupon"

    await case.says("step-reported", step="coupon", state="failed", detail="not in their books", by="li.na")
    await eventually(lambda: _any(_states(records, case) == {key: EntryState.RELEASED}), "the release")
    answer.set()
    await case.at_rest()
    await case.says("resolve-step", step="coupon", action="retry", reason="pay it now", by="Zhao")
    await case.until(lambda c: step(c, "coupon")["state"] == "done")

    assert [command.key for command in partners.refunds.commands] == [key, f"{key}/2"]
    assert _states(records, case) == {key: EntryState.RELEASED, f"{key}/2": EntryState.COMMITTED}
    assert (await case.snapshot())["paid"]["coupon"] == "640.00"


@pytest.mark.parametrize(
    "partner_reports", [False, True], ids=["the partner stays silent", "the partner says so as well"]
)
async def test_payment_that_a_person_confirms_is_recorded(
    open_case: Open, partners: FakePartners, records: Records, partner_reports: bool
) -> None:
    """S13: under the partner's number if it has reported one, otherwise under the person's name, at closing."""
    answer = asyncio.Event()
    case = await unknown_coupon(open_case, partners, answer, paid=True)
    key = f"{case.id}/1/o1/coupon"

    await case.signals("step-reported", step="coupon", state="done", by="li.na")
    if partner_reports:
        answer.set()
        await eventually(lambda: _any(_states(records, case) == {key: EntryState.COMMITTED}), "the booking")
    await case.says("step-reported", step="onsite_repair", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    if not partner_reports:
        await case.becomes("closed")
        await case.after(seconds=21)  # as long as a case waits for a last answer
    await case.result()
    answer.set()

    (entry,) = records.entries(case.id)
    assert (entry["state"], entry["reference"]) == (EntryState.COMMITTED, "R-1" if partner_reports else "li.na")
    assert [command.key for command in partners.refunds.commands] == [key]


async def test_report_on_an_earlier_try_is_refused_and_kept(open_case: Open, partners: FakePartners) -> None:
    """S13: a late report on a step that the partner once refused is not about the current try."""
    partners.warehouse.will(Turn(state=ReceiptState.FAILED))
    case = await replacing(open_case, partners)
    key = f"{case.id}/1/o1/replacement"
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    await case.says("resolve-step", step="replacement", action="retry", reason="stock has come in", by="Zhao")
    await case.until(lambda c: step(c, "replacement")["state"] == "running" and step(c, "replacement")["reference"])

    await case.signals("step-reported", step="replacement", key=key, state="done", by="warehouse")
    seen = await case.until(lambda c: c["refused"])
    assert [r["why"] for r in seen["refused"]] == [
        f"step replacement is carried out under {key}/2: a report on {key} changes nothing any more"
    ]
    assert step(seen, "replacement")["state"] == "running"

    await case.signals("step-reported", step="replacement", key=f"{key}/2", state="done", by="warehouse")
    await case.until(lambda c: step(c, "replacement")["state"] == "done")


def _states(records: Records, case: OpenCase) -> dict[str, EntryState]:
    return {entry["key"]: entry["state"] for entry in records.entries(case.id)}


async def _any(value: object) -> bool:
    return bool(value)
