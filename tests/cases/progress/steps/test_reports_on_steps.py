"""What partners report on a step, in any order: done, failed, taken back, or nothing at all: S13, S26, S27."""

from decimal import Decimal

import pytest

from cases.inbox.receiving import receive
from cases.progress.carrying_out import unknown
from cases.progress.closing import end
from cases.reasons import Reason
from cases.state.letter import Audience
from cases.views.needs import needs
from cases.vocabulary import Outcome, Status
from tests.cases.offers import agreed, of_kind
from tests.cases.world import START, late_by

# Reports of a partner


def test_a_report_is_not_taken_back() -> None:
    """G6: out of order, or twice."""
    world = agreed()
    world.says("step-reported", step="replacement", state="dispatched")

    assert "is dispatched already" in world.refuses("step-reported", step="replacement", state="dispatched")
    world.says("step-reported", step="replacement", state="done")
    assert "is done already" in world.refuses("step-reported", step="replacement", state="done")


def test_a_report_on_a_step_that_was_never_asked_for_is_refused() -> None:
    """G6."""
    world = agreed()

    assert "has not begun: it is waiting" in world.refuses("step-reported", step="collection", state="done")
    assert "has no step gift" in world.refuses("step-reported", step="gift", state="done")


def test_a_report_on_a_blocked_step_does_not_free_it() -> None:
    """G6: a person does."""
    world = agreed(replacement="refused")

    assert "use resolve-step" in world.refuses("step-reported", step="replacement", state="done")


def test_a_report_on_an_earlier_try_changes_nothing() -> None:
    """S13: each try after a refusal has a new key."""
    world = agreed(replacement="failed")
    world.answers["replacement"] = "accepted"
    world.says("resolve-step", step="replacement", action="retry", reason="stock has come in", by="li")
    key = "HL-1/1/o1/replacement"

    why = world.refuses("step-reported", step="replacement", key=key, state="done")
    world.says("step-reported", step="replacement", key=f"{key}/2", state="done")

    assert why == f"step replacement is carried out under {key}/2: a report on {key} changes nothing any more"
    assert world.steps["replacement"] == "done"


def test_a_report_under_a_key_that_nobody_gave_is_refused() -> None:
    """S13: with the one that would be accepted."""
    why = agreed().refuses("step-reported", step="replacement", key="HL-9/1/o1/replacement", state="done")

    assert "is carried out under HL-1/1/o1/replacement: a report on HL-9/1/o1/replacement changes nothing" in why


def test_a_report_may_overtake_the_partners_own_answer() -> None:
    """G6: the crew's report counts, and the later answer undoes nothing."""
    world = agreed(replacement="silent")

    world.says("step-reported", step="replacement", state="dispatched", by="warehouse")

    assert world.steps["collection"] == "running"


def test_a_step_that_failed_later_goes_to_a_person() -> None:
    """G6."""
    world = agreed()
    world.says("step-reported", step="replacement", state="dispatched")

    world.says("step-reported", step="replacement", state="failed", detail="broken on the way")

    assert (world.step("replacement").state, str(world.step("replacement").reason)) == (
        "blocked",
        "warehouse says: “broken on the way”",
    )


# Unknown


def test_a_time_out_is_unknown_and_its_money_counts_as_gone() -> None:
    """S13: until the partner says."""
    world = agreed("severe", refund="unknown")

    assert world.steps["refund"] == "unknown"
    assert world.paid == Decimal("14080.00")
    assert world.case.refunded == Decimal("12800.00")


def test_a_failed_payment_does_not_count_as_gone() -> None:
    """S13: a refusal is not a payment."""
    assert agreed("severe", refund="refused").paid == Decimal("1280.00")


def test_an_uncertain_payment_that_is_waived_still_counts_as_gone() -> None:
    """S13, S14: it may have been made."""
    world = agreed("severe", refund="unknown")
    world.case.steps[0].enter(world.case.steps[0].state.BLOCKED, world.now, "nobody knows")

    world.says("resolve-step", step="refund", action="waive", reason="written off", by="li")

    assert world.case.refunded == Decimal("12800.00")
    world.says("satisfaction-reported", score=1)
    refund = [{"key": "own", "remedies": [{"kind": "refund", "amount": "0.01"}]}]
    assert "more than the 0.00 left" in world.refuses("propose", by="li", options=refund)


def test_a_refund_that_a_partner_has_accepted_counts_as_gone_when_the_case_is_cancelled() -> None:
    """S14, S15: what was reserved for it must not be set free."""
    world = agreed("severe", refund="accepted")

    end(world.case, Outcome.WITHDRAWN, world.now)

    assert world.case.refunded == Decimal("12800.00")


# Unknown outcomes


def test_step_with_unknown_outcome_is_reported_to_a_person_once() -> None:
    """S13: with since when, so that they can ask the partner in another way."""
    world = agreed("severe", refund="unknown")
    assert world.after(minutes=14).letters("step_unknown") == []

    world.after(hours=5)

    assert [(x.facts["step"], x.facts["since"]) for x in world.letters("step_unknown")] == [
        ("refund", START.isoformat())
    ]


def test_step_that_is_settled_in_time_causes_no_notice() -> None:
    """S13."""
    world = agreed("severe", refund="unknown").after(minutes=10)

    world.says("step-reported", step="refund", state="done")

    assert world.after(hours=5).letters("step_unknown") == []


# Done, and then taken back (S27); both said of one try (S26)


@pytest.mark.parametrize(
    ("severity", "step", "words"),
    [
        ("severe", "refund", "account closed"),
        ("moderate", "replacement", "returned to sender"),
        ("minor", "onsite_repair", "nobody came"),
    ],
)
def test_what_was_done_and_failed_later_goes_to_a_person(severity: str, step: str, words: str) -> None:
    """S27: money, goods and visits; it counts as done until a person has decided."""
    world = agreed(severity)
    if world.steps[step] != "done":
        world.says("step-reported", step=step, state="done")
    paid = world.paid

    world.says("step-reported", step=step, state="failed", detail=words)

    assert (world.step(step).state, world.step(step).contested) == ("blocked", True)
    assert str(world.step(step).reason).endswith(f"and now that it failed: “{words}”")
    assert [need.what for need in needs(world.case)] == ["step_blocked"]
    assert [letter.facts["step"] for letter in world.letters("step_blocked")] == [step]
    assert world.paid == paid
    assert world.status is Status.EXECUTING, "the customer is not asked whether they are satisfied"


def test_what_was_taken_back_is_tried_again_under_a_new_key() -> None:
    """S27: by a person."""
    world = agreed("severe")
    world.says("step-reported", step="refund", state="failed", detail="account closed")

    world.says("resolve-step", step="refund", action="retry", reason="new account", by="li")

    assert [c.key for c in of_kind(world, "refund")] == ["HL-1/1/o1/refund", "HL-1/1/o1/refund/2"]
    assert world.status is Status.FOLLOWING_UP


def test_what_was_taken_back_and_is_waived_still_counts_as_gone() -> None:
    """S26, S27: contradictions never release money."""
    world = agreed("severe")
    world.says("step-reported", step="refund", state="failed", detail="account closed")

    world.says("resolve-step", step="refund", action="waive", reason="settled otherwise", by="li")

    assert world.case.refunded == Decimal("12800.00")


def test_a_further_report_does_not_settle_what_was_taken_back() -> None:
    """S27: a person does."""
    world = agreed("severe")
    world.says("step-reported", step="refund", state="failed", detail="account closed")

    assert "use resolve-step" in world.refuses("step-reported", step="refund", state="done")


@pytest.mark.parametrize(("step", "severity"), [("refund", "severe"), ("replacement", "moderate")])
@pytest.mark.parametrize("key", [None, "the key"])
def test_what_was_reported_as_failed_and_then_as_done_is_not_free(step: str, severity: str, key: str | None) -> None:
    """S26: contradictions never release money or units; a person decides, and the partner is asked before a retry."""
    world = agreed(severity, refund="failed", replacement="failed")
    asked = f"HL-1/1/o1/{step}"

    world.says("step-reported", step=step, state="done", **({"key": asked} if key else {}))

    assert (world.step(step).state, str(world.step(step).reason)) == (
        "blocked",
        f"{world.step(step).partner} reported both that it was done and that it was not",
    )
    assert world.step(step).key("HL-1") == asked
    assert world.step(step).counts
    assert world.case.unpaid == []
    assert "use resolve-step" in world.refuses("step-reported", step=step, state="done")


def test_payment_that_is_taken_back_while_the_case_closes_is_kept() -> None:
    """S27: the outcome is settled, the report to the customer is still under way."""
    world = agreed("severe")
    world.down.add(Audience.CUSTOMER)
    world.says("satisfaction-reported", score=5)
    assert (world.case.closing, world.status is Status.CLOSED) == (True, False)

    kept = receive(world.case, "step-reported", {"step": "refund", "state": "failed", "detail": "closed"}, world.now)

    assert kept["applied"]
    assert world.case.disputed == ["HL-1/1/o1/refund"]
    assert (world.case.timeline[-1].what, world.case.timeline[-1].text) == ("step taken back", "refund: closed")
    assert "is closed as satisfied" in world.refuses("step-reported", step="collection", state="failed")


def test_words_and_a_carrier_claim_are_not_taken_back_by_a_report() -> None:
    """S27: no partner reports on them."""
    world = late_by(4)
    world.says("customer-approved")

    assert "explanation is done already" in world.refuses("step-reported", step="explanation", state="failed")


def test_key_that_was_used_for_other_content_is_reported_at_once() -> None:
    """S25: something has left already under it."""
    world = agreed(replacement="silent")

    unknown(world.case, world.step("replacement"), Reason.of("key_reused", who="warehouse", http=409), world.now)
    world.attend()

    assert [letter.facts["key"] for letter in world.letters("step_unknown")] == ["HL-1/1/o1/replacement"]


@pytest.mark.parametrize(("state", "number"), [("done", 2), ("dispatched", 2), ("failed", 4)])
def test_a_report_while_an_earlier_key_is_asked_about_is_about_that_key(state: str, number: int) -> None:
    """S25: nothing was sent under the new key; a failure leaves the next number free."""
    world = agreed(replacement="silent")
    step, key = world.step("replacement"), "HL-1/1/o1/replacement/2"
    step.number = 4
    unknown(world.case, step, Reason.of("earlier_key", who="warehouse", key=key), world.now)
    step.asking = 2

    assert step.key_in_question("HL-1") == key
    assert "carried out under HL-1/1/o1/replacement/2" in world.refuses(
        "step-reported", step="replacement", state=state, key="HL-1/1/o1/replacement/4"
    )
    world.says("step-reported", step="replacement", state=state, key=key)

    assert step.number == number
    assert world.step("replacement").asking is None
