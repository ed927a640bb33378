"""A message is applied whole, once, or refused with a sentence and nothing changed (contract, *Messages*)."""

from datetime import timedelta
from typing import Any

import pytest

from cases.errors import MAX_NAME, MAX_PROBLEMS, Refusal
from cases.inbox.messages import COMMANDS, FACTS, MESSAGES, read
from cases.inbox.receiving import MAX_ALIKE, refuse
from cases.state.letter import Audience
from cases.views.needs import needs
from cases.views.search_attributes import search_attributes
from cases.vocabulary import PromiseState, Status
from tests.cases.stages import assessing, blocked, closed, executing, following_up, offered, over_limits
from tests.cases.world import ACK, START, a_trail, building_materials, open_case

VALID: dict[str, dict[str, Any]] = {
    "contact-made": {"note": "called"},
    "evidence-received": {"evidence": [{"kind": "photo", "uri": "s3://p"}]},
    "customer-approved": {},
    "customer-declined": {"reason": "no"},
    "step-reported": {"step": "replacement", "state": "done"},
    "satisfaction-reported": {"score": 5},
    "complaint-withdrawn": {},
    "assess": {"severity": "severe"},
    "propose": {"options": [{"key": "own", "remedies": [{"kind": "gift"}]}], "by": "li"},
    "approve": {"by": "wu"},
    "reject": {"by": "wu"},
    "declare-complex": {"reason": "big"},
    "resolve-step": {"step": "replacement", "action": "retry", "reason": "again"},
    "assign": {"owner": "li"},
    "acknowledge-escalation": {"promise": "detailed_result"},
    "mark-urgent": {"reason": "a child has eaten of it"},
    "move-policy": {"by": "li", "reason": "new terms"},
    "note": {"text": "remark"},
}


ALWAYS = {"contact-made", "evidence-received", "assign", "mark-urgent", "move-policy", "note"}
TAKEN = {
    assessing: {"complaint-withdrawn", "assess", "propose"},
    offered: {"complaint-withdrawn", "assess", "propose", "customer-approved", "customer-declined"},
    over_limits: {"complaint-withdrawn", "assess", "propose", "approve", "reject"},
    executing: {"step-reported"},
    blocked: {"resolve-step"},
    following_up: {"satisfaction-reported"},
    closed: set(),
}
"""Which messages are applied where; all others are refused."""


@pytest.mark.parametrize("message", VALID)
@pytest.mark.parametrize("where", TAKEN, ids=lambda where: where.__name__)
def test_each_message_is_applied_where_it_makes_sense_and_refused_elsewhere(where: Any, message: str) -> None:
    """Contract: refused with a sentence and no change, or applied with the new status."""
    world = where()
    if message in TAKEN[where] | (ALWAYS if where is not closed else set()):
        answer = world.says(message, **VALID[message])
        assert answer["applied"] is True
    else:
        why = world.refuses(message, **VALID[message])
        assert len(why.split()) > 3
        assert "Traceback" not in why


def test_every_message_of_the_contract_is_known_as_fact_or_command() -> None:
    """Contract, *Messages*."""
    assert set(VALID) == set(MESSAGES) == set(FACTS) | set(COMMANDS)
    assert not set(FACTS) & set(COMMANDS)


def test_a_message_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert "there is no message explode; a case understands contact-made, " in assessing().refuses("explode")


@pytest.mark.parametrize("message", VALID)
def test_a_misspelt_field_is_refused_by_its_name(message: str) -> None:
    """Contract: it would silently lose a fact."""
    world = assessing()

    assert f"{message}: oops: is not known here" in world.refuses(message, **VALID[message], oops=1)


@pytest.mark.parametrize("payload", ["text", 1, [], [{}], True])
def test_a_payload_that_is_no_object_is_refused_with_the_fields_there_are(payload: Any) -> None:
    with pytest.raises(Refusal, match="takes a JSON object with by, occurred_at, message_id, text"):
        read("note", payload)


def test_a_message_without_a_payload_is_an_empty_one() -> None:
    """The button in the Temporal UI sends nothing."""
    assert read("contact-made", None).by is None


def test_what_is_wrong_with_a_message_is_said_without_its_content() -> None:
    """It may be personal."""
    why = assessing().refuses("evidence-received", evidence=[{"kind": "selfie", "uri": "s3://wei-li"}])

    assert "evidence.0.kind" in why
    assert "wei-li" not in why


def test_what_people_write_gives_no_orders_to_a_terminal_and_goes_into_any_database() -> None:
    """Contract: a stray control character does not cause a refusal."""
    world = assessing()

    world.says("note", text="one\r\n\ttwo\x00\x1b[2J\x9b2J", by="li\x9b")

    assert (world.case.timeline[-1].text, world.case.timeline[-1].by) == ("one\r\n\ttwo��[2J�2J", "li�")


@pytest.mark.parametrize("name", ["li\x00", "li\nna", "\x1b[2J", "li\x7fna"])
def test_a_name_is_one_line(name: str) -> None:
    assert "note: by: " in assessing().refuses("note", text="x", by=name)


def test_of_many_faults_the_first_are_named_and_the_rest_is_counted() -> None:
    """With any length of field names and any text in them."""
    faults = {f"\x1b{number}".ljust(500, "x"): 1 for number in range(1_000)}

    why = assessing().refuses("note", text="x", **faults)

    assert why.count("is not known here") == MAX_PROBLEMS
    assert why.endswith("; (whole): has 950 more faults")
    assert why.isprintable()
    assert len(why) < MAX_PROBLEMS * (MAX_NAME + 30)


# Once


@pytest.mark.parametrize("message", ["note", "contact-made", "evidence-received", "assign"])
def test_the_same_message_id_is_applied_once(message: str) -> None:
    """Contract: the second answer says so, and nothing changes."""
    world = assessing()
    world.says(message, **VALID[message], message_id="m-1")
    before = world.case.model_dump()

    answer = world.says(message, **VALID[message], message_id="m-1")

    assert answer["applied"] is False
    assert "m-1 was applied before" in answer["why"]
    assert world.case.model_dump() == before


def test_a_refused_message_may_be_sent_again_under_its_id() -> None:
    """Contract: it was not applied."""
    world = assessing()
    world.refuses("customer-approved", message_id="m-1")
    world.says("assess", severity="moderate")

    assert world.says("customer-approved", message_id="m-1")["applied"] is True


def test_approval_sent_twice_under_one_id_pays_once_even_after_the_case_has_closed() -> None:
    """Contract, S13: and in a new run."""
    world = assessing()
    world.says("assess", severity="severe")
    world.says("customer-approved", message_id="m-1")
    world.says("satisfaction-reported", score=5)

    assert world.continues_as_new().says("customer-approved", message_id="m-1")["applied"] is False
    assert len(world.commands) == 2


# When it happened


@pytest.mark.parametrize(("ahead", "taken"), [(timedelta(seconds=60), True), (timedelta(seconds=61), False)])
def test_a_clock_a_minute_ahead_is_borne_with(ahead: timedelta, taken: bool) -> None:
    """Contract: never in the future; what is a little ahead counts as now."""
    world = assessing()
    at = (START + ahead).isoformat()

    if taken:
        world.says("note", text="x", occurred_at=at)
        assert world.case.timeline[-1].at == START
    else:
        assert "is in the future" in world.refuses("note", text="x", occurred_at=at)


def test_nothing_happened_before_the_complaint() -> None:
    """S9."""
    world = assessing()

    assert "is before the complaint was received" in world.refuses(
        "contact-made", occurred_at=(START - timedelta(seconds=1)).isoformat()
    )


@pytest.mark.parametrize("at", ["2026-11-18T09:00:00", "yesterday", "", int(START.timestamp()), True, {}])
def test_a_time_needs_an_offset(at: Any) -> None:
    """Contract: RFC 3339 with an offset."""
    assert "occurred_at" in assessing().refuses("note", text="x", occurred_at=at)


def test_a_fact_is_dated_by_when_it_happened() -> None:
    """S9."""
    world = assessing().after(minutes=9)

    world.says("contact-made", occurred_at=(START + timedelta(minutes=2)).isoformat(), note="talked")

    assert next(e.at for e in world.case.timeline if e.what == "contact") == START + timedelta(minutes=2)
    assert world.state(ACK) is PromiseState.KEPT


# What each says


def test_assess_answers_with_the_offer() -> None:
    """Contract: or with what is still missing."""
    answer = assessing().says("assess", severity="severe")

    assert answer["missing"] == []
    assert answer["offer"]["id"] == "o1"
    assert answer["offer"]["options"][0]["key"] == "refund"


def test_assess_answers_with_what_is_missing() -> None:
    """Contract: for a loss, whether it is one."""
    answer = open_case("transport.loss").says("assess", days_late=3)

    assert (answer["offer"], answer["missing"]) == (None, ["lost"])


def test_an_assessment_that_says_nothing_is_refused_with_what_could_be_said() -> None:
    assert "give any of severity, days_late" in assessing().refuses("assess", note="hm")


@pytest.mark.parametrize(
    "wrong", [{"severity": "awful"}, {"days_late": -1}, {"days_late": 1.5}, {"lost": "maybe"}, {"liable": "me"}]
)
def test_a_finding_that_cannot_be_is_refused_by_its_field(wrong: dict[str, Any]) -> None:
    assert f"assess: {next(iter(wrong))}: " in assessing().refuses("assess", **wrong)


def test_assign_changes_what_it_names_and_nothing_else() -> None:
    world = assessing()

    world.says("assign", owner="li")
    assert (world.case.team, world.case.owner) == ("logistics", "li")
    world.says("assign", team="quality")
    assert (world.case.team, world.case.owner) == ("quality", "li")
    assert "give team, owner or both" in world.refuses("assign")


def test_notice_is_addressed_to_the_owner_at_the_time_it_is_sent() -> None:
    """G10."""
    world = assessing()
    letter = world.letters("needs_assessment")[0]
    world.says("assign", team="quality", owner="li")

    notice = world.case.notice(letter)

    assert (notice.team, notice.owner) == ("quality", "li")


def test_evidence_is_kept_once() -> None:
    world = assessing()
    photo = VALID["evidence-received"]
    world.says("evidence-received", **photo)
    world.says("evidence-received", **photo)

    assert len(world.case.evidence) == 1


def test_building_materials_have_nothing_to_declare_complex() -> None:
    """F3 is another line's."""
    assert "promises nothing for transport.damage that can be declared complex" in assessing().refuses(
        "declare-complex", reason="big"
    )


def test_a_refused_signal_is_kept_without_its_content() -> None:
    """Contract: under `refused`, with the sentence."""
    world = assessing()

    refuse(world.case.refused, "customer-approved", {"by": "wei", "offer": "secret"}, "there is no offer", START)
    refuse(world.case.refused, "x" * 500, "garbage", "y" * 5_000, START)

    first, second = world.case.refused
    assert (first.message, first.by, first.why) == ("customer-approved", "wei", "there is no offer")
    assert (len(second.message), second.by, len(second.why)) == (100, None, 1_000)
    assert "secret" not in world.case.model_dump_json()


@pytest.mark.parametrize(
    ("names", "why", "lines"),
    [
        (lambda _: "note", lambda _: "no", 1),
        (lambda _: "note", lambda number: f"in the future (it is now {number})", MAX_ALIKE),
        (lambda number: f"invented-{number}", lambda number: f"there is no message invented-{number}", MAX_ALIKE),
    ],
    ids=["the same", "another sentence each", "another name each"],
)
def test_a_flood_of_refused_signals_is_counted_and_hides_no_other(names: Any, why: Any, lines: int) -> None:
    """It must not fill the history."""
    world = assessing()
    refuse(world.case.refused, "customer-approved", None, "no offer yet", START)
    for number in range(1_000):
        refuse(world.case.refused, names(number), None, why(number), START + timedelta(seconds=number))

    first, *flood = world.case.refused
    assert (first.message, first.count, first.last_at) == ("customer-approved", 1, None)
    assert (len(flood), sum(line.count for line in flood)) == (lines, 1_000)
    assert (flood[-1].message, flood[-1].why) == (names(999), why(999))
    assert flood[-1].last_at == START + timedelta(seconds=999)


def test_refused_signals_of_different_senders_stand_apart() -> None:
    world = assessing()
    for by in ("crew", "li", "crew"):
        refuse(world.case.refused, "step-reported", {"by": by}, "there is no step 9", START)

    assert [(line.by, line.count) for line in world.case.refused] == [("crew", 2), ("li", 1)]


def test_a_case_carries_only_its_topics_part_of_the_policy() -> None:
    """S18: small enough to be pinned."""
    world = open_case("transport.loss", trail=a_trail(state="lost"))

    assert list(world.case.policy.topics) == ["transport.loss"]
    assert {p.rule for p in world.case.policy.promises} == {"B1", "B4", "B5"}
    assert world.case.policy.version == building_materials().version


def test_an_edit_of_the_policy_moves_nothing_of_a_running_case() -> None:
    """S18: it is pinned, in a new run too."""
    world = assessing()
    pinned = world.case.policy

    assert world.continues_as_new().case.policy == pinned


def test_undeliverable_offer_waits_for_a_person_who_explains_it_to_the_customer() -> None:
    """S7, B4: the case says so, and a contact delivers the offer."""
    world = assessing()
    world.closed.add(Audience.CUSTOMER)
    world.says("assess", severity="moderate")

    assert search_attributes(world.case)["CaseStatus"] == "offering"
    assert [need.text for need in needs(world.case)] == [
        "offer o1 did not reach the customer (no such number): inform them, then send contact-made or their answer"
    ]
    world.says("contact-made", note="explained the offer")
    assert search_attributes(world.case)["CaseStatus"] == "awaiting_consent"
    assert world.state("detailed_result") is PromiseState.KEPT


def test_contact_while_an_offer_is_on_its_way_is_not_its_delivery() -> None:
    """B4: reaching the customer delivers the offer only if the case asked the agent to explain it."""
    world = assessing()
    world.down.add(Audience.CUSTOMER)
    world.says("assess", severity="moderate")

    world.says("contact-made", note="called about something else")

    assert world.case.status is Status.OFFERING
    assert world.state("detailed_result") is PromiseState.OPEN
