"""A case is assessed when the last look-up is in, and by what a technician finds on site."""

from datetime import timedelta
from typing import Any

import pytest

from cases.partner_calls import DispatchRecord
from cases.state.letter import Audience
from cases.vocabulary import Status
from tests.cases.world import START, World, a_trail, moved, open_case

# Look-ups


def test_a_case_is_assessed_when_the_last_look_up_is_in() -> None:
    """G3: look-ups run at the same time, and one that is known to have failed is not waited for."""
    world = open_case("transport.delay", looked_up=False)
    assert world.case.looking_up == ["trail", "dispatch"]

    world.finds("trail", a_trail(promised_at=START - timedelta(days=4), events=moved(START)))
    assert world.status is Status.RECEIVED

    world.finds("dispatch", None)
    assert world.offer.rule == "B14"


def test_a_look_up_that_answers_late_brings_the_offer() -> None:
    """G3: after a partner's outage."""
    world = open_case("transport.delay")
    assert world.case.offers == []

    world.after(hours=1).finds("trail", a_trail(promised_at=START - timedelta(days=4), events=moved(START)))

    assert world.offer.rule == "B14"
    assert world.status is Status.AWAITING_CONSENT


def test_a_look_up_that_answers_after_the_offer_changes_no_offer() -> None:
    """G3, S19."""
    world = open_case("transport.delay")
    world.says("assess", days_late=4)

    world.finds("trail", a_trail(state="lost"))

    assert [offer.rule for offer in world.case.offers] == ["B14"]
    assert world.case.finding.lost is True


def test_a_dispatch_record_stays_on_the_case() -> None:
    """G3."""
    record = DispatchRecord(warehouse="Foshan", dispatched_at=START)
    world = open_case("transport.damage", looked_up=False)

    world.finds("dispatch", record).finds("trail", None)

    assert world.case.look_ups.dispatch == record


def test_notice_names_what_a_person_has_to_establish() -> None:
    """G3."""
    world = open_case("transport.damage")

    assert [letter.facts["missing"] for letter in world.letters("needs_assessment")] == [["severity"]]


def test_a_look_up_that_answers_after_the_withdrawal_makes_no_offer() -> None:
    """G12, G3: the report is still on its way when the trail answers."""
    world = open_case("transport.delay", looked_up=False)
    world.down = {Audience.CUSTOMER}
    world.says("complaint-withdrawn", reason="found it")

    world.finds("trail", a_trail(promised_at=START - timedelta(days=1), events=moved(START))).finds("dispatch", None)

    assert world.case.offers == []


# Site check


def defect(**fields: Any) -> World:
    return open_case("installation.defect", **fields)


def test_a_technician_inspects_first_where_nobody_knows_how_bad_it_is() -> None:
    """§2 *Site check*: at once, before any offer."""
    world = defect()

    assert world.steps == {"inspection": "running"}
    assert world.case.offers == []


def test_no_technician_inspects_what_an_agent_has_judged_already() -> None:
    """§2 *Site check*: only without a severity."""
    world = open_case("installation.defect", looked_up=False)
    world.says("assess", severity="minor")

    world.finds("installation", None)

    assert world.steps == {"rectification": "running"}


@pytest.mark.parametrize(("severity", "rule"), [("minor", "B17"), ("severe", "B18")])
def test_the_finding_is_the_inspections(severity: str, rule: str) -> None:
    """§2 *Site check*: with its photos."""
    world = defect()
    photo = {"kind": "photo", "uri": "s3://p/1"}

    world.says("step-reported", step="inspection", state="done", finding={"severity": severity, "evidence": [photo]})

    assert world.offer.rule == rule
    assert [e.uri for e in world.case.evidence] == ["s3://p/1"]


def test_an_agents_word_overrides_the_inspections() -> None:
    """G3, §2 *Site check*."""
    world = defect()
    world.says("step-reported", step="inspection", state="done", finding={"severity": "severe"})

    world.says("assess", severity="minor", by="li")

    assert world.offer.rule == "B17"
    assert [f.source for f in world.case.finding.facts if f.field == "severity"] == ["inspection", "agent"]


def test_an_inspection_cannot_find_what_the_topic_does_not_know() -> None:
    """§2: refused to the crew by name, so that they can report again."""
    world = defect()

    why = world.refuses("step-reported", step="inspection", state="done", finding={"severity": "moderate"})

    assert "severity" in why
    assert world.steps == {"inspection": "running"}


def test_an_inspection_that_finds_nothing_leaves_it_to_a_person() -> None:
    """G3: an agent enters what needs judgement, so an agent is notified."""
    world = defect()

    world.says("step-reported", step="inspection", state="done")

    assert [letter.facts["missing"] for letter in world.letters("needs_assessment")] == [["severity"]]


# Carrier claim


def test_carrier_claim_starts_at_once_without_waiting_for_the_customer() -> None:
    """B16: the claim is ours."""
    world = open_case("transport.loss", trail=a_trail(state="lost"))

    assert world.status is Status.AWAITING_CONSENT
    assert world.steps == {"carrier_claim": "done"}


def test_the_carrier_is_pursued_once_however_often_the_loss_is_offered() -> None:
    """B16, G6."""
    world = open_case("transport.loss", trail=a_trail(state="lost"))

    world.says("assess", lost=True, cause="van burnt out", by="li")
    world.says("customer-approved")

    assert [offer.rule for offer in world.case.offers] == ["B16", "B16"]
    assert [command.kind for command in world.commands] == ["carrier_claim", "refund", "compensation"]
