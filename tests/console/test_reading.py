"""What strangers wrote is shown as plain text, whatever they wrote."""

import io
from typing import Any

import pytest
from rich.console import Console

import policies
from console import reading, terms
from settings import ROOT

SEEN: dict[str, Any] = {
    "case_id": "HL-1",
    "line": "building_materials",
    "topic": "transport.damage",
    "order_id": "SO-1",
    "status": "executing",
    "outcome": None,
    "urgent": True,
    "owner": {"team": "logistics", "name": "li"},
    "policy": {"line": "building_materials", "version": "2026-11+abc"},
    "finding": {"severity": "severe", "affected": [{"sku": "SLATE-9", "quantity": 1}], "facts": []},
    "promises": [
        {
            "name": "detailed_result",
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
            "options": [
                {"key": "refund", "remedies": [{"kind": "compensation", "amount": "1280.00", "max_amount": "2560.00"}]}
            ],
            "over_limits": [],
        }
    ],
    "steps": [
        {
            "id": "s1",
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
    "needs": ["step s1 is blocked (no): resolve-step with retry, replace or waive"],
}


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
def test_a_case_shows_what_is_true_of_it(fact: str) -> None:
    assert fact in shown(reading.case(SEEN))


def test_what_is_empty_is_not_shown() -> None:
    assert "escalations" not in shown(reading.case(SEEN))


def test_a_case_that_is_being_admitted_has_only_a_status() -> None:
    assert shown(reading.case({"status": "received"})) == "received\n"


def test_control_characters_never_reach_the_terminal() -> None:
    line = reading.entry({"at": "2026-11-18T09:00:00+08:00", "what": "note", "text": "\x1b[2J\x07gone"})

    assert line.endswith("note  ·[2J·gone")


def test_an_answer_tells_the_offer_or_what_is_missing() -> None:
    offer = {"id": "o1", "state": "open", "options": SEEN["offers"][0]["options"]}

    told = reading.answer("HL-1", "assess", {"applied": True, "status": "offering", "offer": offer, "missing": []})
    lacking = reading.answer(
        "HL-1", "assess", {"applied": True, "status": "assessing", "offer": None, "missing": ["lost"]}
    )

    assert told.splitlines()[1:] == ["offer o1 (open)", "  refund: compensation 1280.00 (up to 2560.00)"]
    assert lacking.splitlines()[1:] == ["still to be established: lost"]


def test_every_policy_can_be_read() -> None:
    for line, policy in policies.load(ROOT / "policies").items():
        text = shown(terms.policy(policy))

        assert line in text
        assert all(promise.rule in text for promise in policy.promises)
        assert all(rule.rule in text for rule in policy.remedies)
