"""G13: what another policy would have promised, broken and paid in cases that have closed."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.entitlement.hindsight import Hindsight, hindsight, summary
from cases.forgetting import forgotten
from cases.policy.policy import Policy, PromiseRule
from tests.cases.world import building_materials, open_case, snapshot

Json = dict[str, Any]


def record(severity: str = "severe", option: str | None = None, after: timedelta = timedelta(hours=30)) -> Json:
    """The final snapshot of a case that was assessed late, offered, agreed and paid."""
    world = open_case()
    world.after(hours=after / timedelta(hours=1))
    world.says("assess", severity=severity, by="li.na")
    world.says("customer-approved", option=option)
    for step in [step.id for step in world.case.steps if not step.settled]:
        world.says("step-reported", step=step, state="done")
    world.says("satisfaction-reported", score=5)
    found: Json = json.loads(json.dumps(snapshot(world.case)))
    assert found["status"] == "closed"
    return found


def edited(**changes: Any) -> Policy:
    return building_materials().model_copy(update=changes)


def with_result_within(within: str, **changes: Any) -> Policy:
    """The policy in force, with another time for findings and offer."""
    rules = building_materials().promises
    other = {"within": within, **changes}
    return edited(promises=[rule.model_copy(update=other if rule.rule == "B4" else {}) for rule in rules])


def ends(found: Hindsight, name: str) -> tuple[str | None, str | None, bool]:
    [promise] = [promise for promise in found.promises if promise.name == name]
    return promise.was, promise.would_be, promise.known


def test_the_same_policy_would_have_changed_nothing() -> None:
    """G13: the code that judges is that of open cases."""
    found = hindsight("HL-1", record(), building_materials())

    assert found.fault is None
    assert [(promise.was, promise.known) for promise in found.promises] == [
        (promise.would_be, True) for promise in found.promises
    ]
    assert found.would_pay == found.paid == Decimal("14080.00")


def test_shorter_time_would_have_broken_what_was_kept() -> None:
    """G13: the offer came after 30 hours; both sides of the limit."""
    case = record()

    assert ends(hindsight("HL-1", case, with_result_within("29h")), "detailed_result") == ("kept", "broken", True)
    assert ends(hindsight("HL-1", case, with_result_within("31h")), "detailed_result") == ("kept", "kept", True)


def test_longer_time_would_have_kept_what_was_broken() -> None:
    case = record(after=timedelta(hours=50))

    assert ends(hindsight("HL-1", case, with_result_within("51h")), "detailed_result") == ("broken", "kept", True)


def test_promise_that_may_not_pause_runs_on_while_the_customer_is_awaited() -> None:
    """G11: the record has the pauses."""
    case = record()
    [result] = [promise for promise in case["promises"] if promise["name"] == "detailed_result"]
    since, until = result["started_at"], result["kept_at"]
    paused = "2026-11-18T02:00:00Z"
    result["segments"] = [
        {"ran_from": since, "ran_until": paused, "why_stopped": "photo"},
        {"ran_from": until, "ran_until": until, "why_stopped": "kept"},
    ]

    can, cannot = (hindsight("HL-1", case, with_result_within("2h", pausable=each)) for each in (True, False))

    assert ends(can, "detailed_result")[1] == "kept"
    assert ends(cannot, "detailed_result")[1] == "broken"


def test_promise_that_the_policy_does_not_make_is_not_owed() -> None:
    rules = [rule for rule in building_materials().promises if rule.rule != "B4"]

    assert ends(hindsight("HL-1", record(), edited(promises=rules)), "detailed_result") == ("kept", None, True)


def test_new_promise_is_judged_if_the_record_knows_when_it_would_have_been_kept() -> None:
    """G13: the offer's delivery is known, and who was named owner is not."""
    new = [
        PromiseRule.model_validate({"rule": "B9", "name": name, "within": within})
        for name, within in (("solution", "29h"), ("return_decision", "31h"), ("assign", "1h"))
    ]
    later = PromiseRule.model_validate({"rule": "B9", "name": "claim_paid", "within": "1h", "starts": "consent"})
    found = hindsight("HL-1", record(), edited(promises=[*building_materials().promises, *new, later]))

    assert ends(found, "solution") == (None, "broken", True)
    assert ends(found, "return_decision") == (None, "kept", True)
    assert ends(found, "assign") == (None, "open", False)
    assert ends(found, "claim_paid") == (None, "open", False)


def test_other_amounts_would_have_been_paid_in_the_option_that_was_chosen() -> None:
    """G13: refund 12800.00, and compensation of 10 % of the order; 20 % would have been 1280.00 more."""
    rules = [rule.model_dump() for rule in building_materials().remedies]
    [severe] = [rule for rule in rules if rule["rule"] == "B12"]
    [paid] = [remedy for remedy in severe["options"]["refund"] if remedy["do"] == "compensation"]
    paid["amount"] = "20% of order"

    dearer = Policy.model_validate({**building_materials().model_dump(), "remedies": rules})

    assert hindsight("HL-1", record(), dearer).would_pay == Decimal("15360.00")


def test_what_an_agent_offered_would_have_stayed() -> None:
    case = record()
    case["offers"][-1]["made_by"] = "li.na"

    assert hindsight("HL-1", case, edited(remedies=[])).would_pay == Decimal("14080.00")


def test_money_is_not_known_if_the_chosen_option_would_not_have_been_offered() -> None:
    found = hindsight("HL-1", record(), edited(remedies=[]))

    assert (found.would_pay, found.fault) == (None, None)


def test_case_that_the_policy_does_not_cover_is_not_compared_and_says_why() -> None:
    topics = {name: topic for name, topic in building_materials().topics.items() if name != "transport.damage"}

    found = hindsight("HL-1", record(), edited(topics=topics))

    assert found.fault is not None
    assert "building_materials has no topic transport.damage" in found.fault


def test_case_whose_customer_was_forgotten_is_compared_all_the_same() -> None:
    case, policy = record(), with_result_within("29h")

    assert hindsight("HL-1", forgotten(case), policy) == hindsight("HL-1", case, policy)


def test_case_is_summed_up_with_others() -> None:
    """G13: also what is not known."""
    cases = [hindsight(f"HL-{number}", record(), with_result_within("29h")) for number in (1, 2)]
    unknown = hindsight("HL-3", record(), edited(remedies=[]))
    broken = Hindsight("HL-4", fault="it has no topic")

    found = summary([*cases, unknown, broken])

    names = {"promised": 3, "would_promise": 3, "broken": 0, "would_break": 2, "unknown": 0}
    assert found["promises"]["detailed_result"] == names
    assert found["paid"] == {"CNY": {"paid": "28160.00", "would_pay": "28160.00"}}
    assert (found["cases"], found["money_unknown"]) == (4, ["HL-3"])
    assert found["not_comparable"] == [{"case_id": "HL-4", "why": "it has no topic"}]


@pytest.mark.parametrize("lack", ["complaint", "finding"])
def test_record_of_an_earlier_build_may_lack_what_is_compared(lack: str) -> None:
    """Its fault is a sentence."""
    case = record()
    case[lack] = {}

    found = hindsight("HL-1", case, building_materials())

    assert found.fault is None if lack == "finding" else "is required" in str(found.fault)
