"""Text from outside is shown as plain text, without control characters."""

import io
import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

import policies
from cases.progress.alarms import alarms
from cases.views.snapshot import EntryView, Snapshot
from cases.views.ui_page import case_page
from console import reading, terms
from settings import ROOT
from tests.cases.world import START, World, building_materials, late_by, open_case

REMEDY = {"kind": "compensation", "amount": "1280.00", "max_amount": "2560.00", "at_once": False}
SEEN = Snapshot.model_validate(
    {
        "case_id": "HL-1",
        "line": "building_materials",
        "topic": "transport.damage",
        "order_id": "SO-1",
        "status": "executing",
        "outcome": None,
        "urgent": True,
        "owner": {"team": "logistics", "name": "li"},
        "policy": {"line": "building_materials", "version": "2026-11+abc"},
        "cycle": 1,
        "opened_at": "2026-11-18T09:00:00+08:00",
        "closed_at": None,
        "finding": {"severity": "severe", "affected": [{"sku": "SLATE-9", "quantity": 1}], "facts": []},
        "promises": [
            {
                "name": "detailed_result",
                "cycle": 1,
                "rule": "B4",
                "started_at": "2026-11-18T09:00:00+08:00",
                "within": "48h",
                "state": "kept",
                "due_at": "2026-11-20T09:00:00+08:00",
                "kept_at": "2026-11-19T09:00:00+08:00",
                "provisional": True,
                "segments": [
                    {
                        "ran_from": "2026-11-18T09:00:00+08:00",
                        "ran_until": "2026-11-18T10:00:00+08:00",
                        "why_stopped": "evidence",
                    },
                    {
                        "ran_from": "2026-11-18T12:00:00+08:00",
                        "ran_until": "2026-11-19T09:00:00+08:00",
                        "why_stopped": "kept",
                    },
                ],
            }
        ],
        "offers": [
            {
                "id": "o1",
                "state": "accepted",
                "made_at": "2026-11-18T12:00:00+08:00",
                "cycle": 1,
                "rule": None,
                "made_by": None,
                "delivered_at": None,
                "accepted": "refund",
                "consent_required": True,
                "options": [{"key": "refund", "remedies": [REMEDY]}],
                "over_limits": [],
            }
        ],
        "steps": [
            {
                "id": "s1",
                "kind": "compensation",
                "cycle": 1,
                "offer": "o1",
                "since": None,
                "team": None,
                "partner": "refunds",
                "state": "blocked",
                "amount": "1280.00",
                "reference": None,
                "attempts": 1,
                "reason": "no",
            }
        ],
        "escalations": [],
        "evidence": [],
        "satisfaction": [],
        "paid": {"refund": "12800.00", "compensation": "0.00", "coupon": "0.00"},
        "refused": [],
        "timeline": [{"at": "2026-11-18T09:00:00+08:00", "what": "note", "text": "[red]hello[/blue]", "by": "li"}],
        "links": [],
        "needs": ["step s1 is blocked (no): resolve-step with retry, replace or waive"],
    }
)
"""A snapshot of an earlier build."""


def shown(renderable: Any) -> str:
    output = io.StringIO()
    Console(file=output, markup=False, highlight=False, emoji=False, width=reading.WIDTH).print(renderable)
    return output.getvalue()


@pytest.mark.parametrize(
    "fact",
    [
        "HL-1  building_materials transport.damage · URGENT",
        "owner logistics/li",
        "next: step s1 is blocked",
        "found: severity severe, affected 1 × SLATE-9",
        "(provisional)",
        ": evidence",
        "refund: compensation 1280.00 (up to 2560.00)",
        "paid: refund 12800.00",
        "[red]hello[/blue]",
    ],
)
def test_case_shows_its_state(fact: str) -> None:
    assert fact in shown(reading.case(SEEN))


def of(world: World, width: int = reading.WIDTH) -> str:
    """Return what `show` prints of a case."""
    output = io.StringIO()
    console = Console(file=output, markup=False, highlight=False, emoji=False, width=width)
    console.print(reading.case(Snapshot.of(world.case)), crop=False)
    return output.getvalue()


def test_case_shows_the_customer_their_contact_details_description_and_wish() -> None:
    """G1."""
    customer = {"name": "王芳", "phone": "+8613800000001", "email": "wang@example.com"}
    text = of(open_case(customer=customer, wish="replace", description="石板断成两半\nand the crate is open"))

    assert "customer  王芳 · +8613800000001 · wang@example.com" in text
    assert "received  2026-11-18 09:00:00+08:00 by hotline" in text
    assert "order     SO-88121, 12800.00 CNY: 4 × SLATE-9 Slate at 3125.00" in text
    assert "affected  1 × SLATE-9" in text
    assert "wants     replace" in text
    assert "wrote     石板断成两半" in text
    assert "          and the crate is open" in text


@pytest.mark.parametrize("width", [60, 100, 160])
def test_command_for_each_need_is_on_one_line_for_copying(width: int) -> None:
    """At any width: a shell would take the second half of a broken line as another command."""
    lines = of(open_case(), width).splitlines()

    assert "  do:  starter.py assess HL-1 --severity minor --by YOU" in lines
    assert any(line.startswith("  or:  starter.py propose HL-1 --options '[{") and "--by YOU" in line for line in lines)


@pytest.mark.parametrize("width", [100, 160])
def test_chinese_text_stays_within_its_column_and_the_width(width: int) -> None:
    world = open_case(description="一块石板到货时已经断成两半，包装也破损严重，请尽快处理。" * 8)

    lines = of(world, width).splitlines()

    wrote = next(i for i, line in enumerate(lines) if line.startswith("wrote"))
    assert lines[wrote + 1].startswith("          ")
    assert all(cell_len(line) <= width for line in lines if "starter.py" not in line)


def test_options_have_the_numbers_that_the_customer_received() -> None:
    """G5."""
    lines = [line.strip() for line in of(late_by(6)).splitlines()]

    assert any("1  wait: explanation" in line for line in lines)
    assert any(line.startswith("2  cancel: refund 12800.00") for line in lines)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin"])
def test_every_time_is_in_the_zone_of_the_line_with_its_offset(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One zone in terminal, UI, needs and timers, independent of the reader's."""
    monkeypatch.setenv("TZ", "America/New_York")
    policy = building_materials().model_copy(update={"timezone": zone})
    world = open_case(policy=policy, answers={"refund": "unknown"})
    world.says("assess", severity="severe")
    world.says("customer-approved")

    text = of(world) + case_page(world.case) + "".join(alarm.summary for alarm in alarms(world.case))

    times = re.findall(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(\S{6})?", text)
    assert set(times) == {"+08:00" if zone == "Asia/Shanghai" else "+01:00"}


def test_case_of_an_earlier_build_is_shown_without_the_missing_fields() -> None:
    assert "next: step s1 is blocked (no): resolve-step" in shown(reading.case(SEEN))


def test_empty_fields_are_not_shown() -> None:
    assert "escalations" not in shown(reading.case(SEEN))


def test_case_that_is_being_admitted_shows_only_its_status() -> None:
    assert shown(reading.case(Snapshot.being_admitted("HL-1"))) == "received\n"


def test_control_characters_never_reach_the_terminal() -> None:
    line = reading.entry(EntryView(at=START, what="note", text="\x1b[2J\x07gone"))

    assert line.endswith("note  ·[2J·gone")


def test_answer_shows_the_offer_or_what_is_missing() -> None:
    offer = {"id": "o1", "state": "open", "options": [{"key": "refund", "remedies": [REMEDY]}]}

    output = reading.answer("HL-1", "assess", {"applied": True, "status": "offering", "offer": offer, "missing": []})
    lacking = reading.answer(
        "HL-1", "assess", {"applied": True, "status": "assessing", "offer": None, "missing": ["lost"]}
    )

    assert output.splitlines()[1:] == ["offer o1 (open)", "  refund: compensation 1280.00 (up to 2560.00)"]
    assert lacking.splitlines()[1:] == ["still missing: lost"]


def test_every_policy_can_be_shown() -> None:
    for line, policy in policies.load(ROOT / "policies").items():
        text = shown(terms.policy(policy))

        assert line in text
        assert all(promise.rule in text for promise in policy.promises)
        assert all(rule.rule in text for rule in policy.remedies)
