"""A loop in another system does not fill a case or block other senders (contract, *Messages*)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cases import rate_limit
from cases.errors import Refusal
from cases.inbox import same_matter as linking
from cases.inbox.receiving import KNOWN, receive, receive_signal, refuse
from cases.rate_limit import AT_ONCE, EVERY, LIMITS, MAX_DECIDED
from cases.state.letter import Audience
from cases.state.second_complaint import ComplaintLinked
from cases.vocabulary import Status
from tests.cases.world import SECOND, World, open_case, snapshot

TOO_OFTEN = "comes too often: at most 30 at once are accepted, then one every 12 seconds"
CARRIES = 2 * 1024 * 1024
"""Bytes that Temporal takes as one argument, result or answer (`limit.blobSize.error`)."""


def flooded(world: World, message: str = "note", **payload: Any) -> World:
    """As many as are taken at once."""
    for _ in range(AT_ONCE):
        world.says(message, **payload or {"text": "again"})
    return world


def test_the_thirty_first_at_once_is_refused_with_what_to_do() -> None:
    world = flooded(open_case())

    why = world.refuses("note", text="again")

    assert TOO_OFTEN in why
    assert "send it again in a minute" in why


def test_one_more_is_taken_every_twelve_seconds() -> None:
    """So that is 300 an hour, however many are sent."""
    world = flooded(open_case())
    before = len(world.case.timeline)

    for _ in range(60 * 60):
        world.now += SECOND
        try:
            receive(world.case, "note", {"text": "again"}, world.now)
        except Refusal:
            continue

    assert len(world.case.timeline) - before == timedelta(hours=1) / EVERY == 300


def test_people_who_clear_a_backlog_do_not_notice() -> None:
    """Every two minutes, all day long, and ten at once now and then."""
    world = open_case()

    for number in range(200):
        world.after(minutes=2)
        for _ in range(10 if number % 20 == 0 else 1):
            assert world.says("note", text="done")["applied"]


@pytest.mark.parametrize(
    ("flood", "payload"),
    [
        ("contact-made", {"note": "x"}),
        ("note", {"text": "x"}),
        ("evidence-received", {"evidence": [{"kind": "photo", "uri": "s3://p"}]}),
        ("assign", {"owner": "li"}),
    ],
    ids=["contact-made", "note", "evidence-received", "assign"],
)
def test_a_flood_of_one_message_keeps_no_other_out(flood: str, payload: dict[str, Any]) -> None:
    """Consent, partner reports and acknowledgements are accepted as if nothing else had come."""
    world = flooded(open_case().after(days=2), flood, **payload)

    assert world.says("acknowledge-escalation", promise="detailed_result", by="li")["applied"]
    assert world.says("assess", severity="moderate")["applied"]
    assert world.says("customer-approved")["applied"]
    assert world.says("step-reported", step="replacement", state="done")["applied"]


def test_a_flood_of_what_is_refused_keeps_out_nothing_at_all() -> None:
    """Only what was applied counts: a sender that is wrong a thousand times may be right once."""
    world = open_case()
    world.says("assess", severity="moderate")
    for _ in range(10 * AT_ONCE):
        world.refuses("customer-approved", offer="o9")

    assert world.says("customer-approved")["applied"]


def test_repetitions_by_message_id_are_answered_and_use_nothing_up() -> None:
    """Contract: senders without an answer send again."""
    world = open_case()
    world.says("note", text="x", message_id="m-1")
    for _ in range(10 * AT_ONCE):
        assert world.says("note", text="x", message_id="m-1")["applied"] is False

    assert world.says("note", text="y")["applied"]
    flooded(world, "contact-made", note="x", message_id="m-2")
    assert world.says("contact-made", note="x", message_id="m-2")["applied"] is False


def test_a_new_run_does_not_begin_to_count_anew() -> None:
    """Continue-as-new: a flood brings it about."""
    world = flooded(open_case()).continues_as_new()

    assert TOO_OFTEN in world.refuses("note", text="again")
    world.after(minutes=6)
    assert flooded(world)


def test_what_has_not_come_for_a_while_is_remembered_no_longer() -> None:
    world = flooded(open_case()).after(hours=1)
    world.says("contact-made")

    assert list(world.case.paces) == ["contact-made"]


def test_a_flood_of_signals_leaves_one_line_and_a_count() -> None:
    world = open_case()
    for _ in range(1_000):
        world.now += timedelta(milliseconds=10)
        try:
            receive_signal(world.case, "contact-made", {"note": "x", "by": "crm"}, world.now)
        except Refusal as refusal:
            refuse(world.case.refused, "contact-made", {"by": "crm"}, str(refusal), world.now)

    [line] = world.case.refused
    assert (line.message, line.by, line.count) == ("contact-made", "crm", 1_000 - AT_ONCE)
    assert line.last_at == world.now
    assert TOO_OFTEN in line.why


def test_a_merged_case_passes_on_no_flood() -> None:
    """G12: each would be a signal to another case."""
    world = open_case()
    linking.merge(world.case, "HL-0", world.now)

    for _ in range(AT_ONCE):
        linking.pass_on(world.case, "contact-made", {}, world.now)

    with pytest.raises(Refusal, match="comes too often"):
        linking.pass_on(world.case, "contact-made", {}, world.now)
    linking.pass_on(world.case, "step-reported", {"step": "x", "state": "done"}, world.now)


def test_flood_of_complaints_about_one_order_is_handled_in_separate_cases() -> None:
    """G12, S22: a refused link leads to a separate case, so no complaint is lost."""
    world = open_case()
    complaints = [ComplaintLinked(case=f"HL-{number}", merges=True) for number in range(100, 200)]

    taken_in = [linking.link(world.case, complaint, world.now) for complaint in complaints]

    assert taken_in == [True] * AT_ONCE + [False] * 70
    assert linking.link(world.case, complaints[0], world.now), "again: it is known"


# How much it carries

WIDE = "证" * 5_000
"""The longest text that a message may have, in letters of three bytes."""
LARGEST: dict[str, list[dict[str, Any]]] = {
    "contact-made": [{"note": 2 * WIDE}],
    "evidence-received": [
        {"evidence": [{"kind": "photo", "uri": f"s3://{number}/{piece}/".ljust(1_200, "x")} for piece in range(50)]}
        for number in range(300)
    ],
    "assign": [{"team": "证" * 100, "owner": "证" * 100, "by": "证" * 100}],
    "assess": [{"severity": "severe", "cause": "证" * 1_000, "note": 2 * WIDE}, {"severity": "minor"}],
    "propose": [
        {
            "options": [
                {"key": f"o{number}", "remedies": [{"kind": "compensation", "amount": "1.00"}] * 20}
                for number in range(10)
            ],
            "note": 2 * WIDE,
            "by": "li",
        }
    ],
    "note": [{"text": WIDE}],
}
"""What fills a case fastest, of each message that can be repeated at will in this line."""


def filled(world: World) -> World:
    """Everything that can be repeated freely is sent in its largest form, for days, until it is refused."""
    for message, payloads in LARGEST.items():
        for number in range(5_000):
            try:
                receive(world.case, message, payloads[number % len(payloads)], world.now)
            except Refusal as refusal:
                if "comes too often" not in str(refusal):
                    break
                world.now += EVERY * AT_ONCE
            world.attend()
        else:
            pytest.fail(f"{message} is accepted forever")
        assert "bytes are kept here already" in world.refuses(message, **payloads[0])
    for number in range(10):
        for name in (*KNOWN, "unknown"):
            refuse(world.case.refused, name, {"by": WIDE}, f"{number}{WIDE}", world.now)
    return world


def test_what_can_be_repeated_at_will_is_known_to_be() -> None:
    """A new message that can be repeated freely must be in `LIMITS`."""
    elsewhere = {"declare-complex", "complaint-linked"}
    assert set(LIMITS) == {*LARGEST, *elsewhere}


@pytest.mark.parametrize("down", [[], [Audience.CUSTOMER, Audience.STAFF]], ids=["post goes out", "post is down"])
def test_full_case_fits_into_temporals_limits_and_runs_to_its_end(down: list[Audience]) -> None:
    """Or it could neither continue in a new run nor be archived: it would be stuck for good."""
    world = open_case()
    world.down = set(down)
    filled(world)
    carried = len(world.case.model_dump_json().encode())
    shown = len(json.dumps(snapshot(world.case), ensure_ascii=False).encode())
    assert carried > MAX_DECIDED
    assert max(carried, shown) < 0.9 * CARRIES

    world.comes_back(*down)
    assert world.says("customer-declined", reason="no")["applied"]
    world.says("complaint-withdrawn")
    assert world.status is Status.CLOSED


def test_a_case_that_remarks_have_filled_can_still_be_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    world = open_case()
    for payload in LARGEST["evidence-received"][:AT_ONCE]:
        try:
            world.says("evidence-received", **payload)
        except Refusal:
            break

    assert "more than 1048576 bytes are kept here already" in world.refuses("note", text="x")
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    assert world.status is Status.EXECUTING
    monkeypatch.setattr(rate_limit, "LIMITS", {})
    assert world.says("note", text="x")["applied"], "the guard is what keeps it out"
