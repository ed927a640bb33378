"""Every event with example facts. They are used for previews, and for tests in every language."""

from dataclasses import dataclass
from typing import Any, Literal

from cases.partner_calls import Contact, CustomerMessage, StaffNotice
from cases.vocabulary import Channel, Role

Facts = dict[str, Any]

_COMMON: Facts = {
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "topic_title": {"zh-CN": "运输破损", "en": "Damage in transport"},
}
_STAFF: Facts = {
    "line": "building_materials",
    "topic": "transport.damage",
    "order_id": "SO-88121",
    "urgent": False,
    **_COMMON,
}
_CASE = "HL-20261118-0001"


@dataclass(frozen=True)
class Event:
    """The audience of an event, and examples of its facts that together show every sentence."""

    audience: Literal["customer", "staff"]
    examples: tuple[Facts, ...]

    def message(self, event: str, facts: Facts, locale: str) -> CustomerMessage:
        """Return an example message to a customer."""
        to = Contact(name="李薇" if locale.startswith("zh") else "Wei Li", phone="13800000000", locale=locale)
        key = f"{_CASE}/example/{event}"
        return CustomerMessage(key=key, case_id=_CASE, event=event, to=to, routes=[Channel.SMS], facts=facts)

    def notice(self, event: str, facts: Facts) -> StaffNotice:
        """Return an example notice to a team lead."""
        key = f"{_CASE}/example/{event}"
        urgent = facts.get("urgent") is True
        return StaffNotice(
            key=key, case_id=_CASE, event=event, role=Role.TEAM_LEAD, team="after_sales", urgent=urgent, facts=facts
        )


def _customer(*examples: Facts) -> Event:
    return Event("customer", tuple(_COMMON | facts for facts in examples))


def _staff(*examples: Facts) -> Event:
    return Event("staff", tuple(_STAFF | facts for facts in examples))


_REVIEW: Facts = {
    "review_id": "review-all-2026-11-01_2026-11-30",
    "line": None,
    "period": {"zh-CN": "2026年11月1日 至 2026年11月30日", "en": "Nov 1, 2026 – Nov 30, 2026"},
    "decide": {"zh-CN": "没有需要决策的事项。", "en": "Nothing needs a decision."},
    "kept": {"zh-CN": "1,204 项承诺中 96.1% 按时兑现。", "en": "96.1% of 1,204 promises were kept in time."},
    "satisfied": {"zh-CN": "310 位作答客户中 288 位满意。", "en": "288 of 310 customers were satisfied."},
    "folder": "/data/reviews/review-all-2026-11-01_2026-11-30",
}
_REASON = {"zh-CN": "破损率比其他承运商高一倍", "en": "twice as many parcels arrive damaged as with other carriers"}
_RESULT = {"zh-CN": "华东线路已改由另一家承运", "en": "another carrier serves the east now"}
_MEASURE: Facts = {
    "measure_id": "carrier-3f9a2c1b",
    "line": "building_materials",
    "dimension": "carrier",
    "subject": "Swift",
    "proposal": "change_carrier",
    "reason": _REASON,
    "due_on": "2026-12-15",
    "owner": "li.na",
    "timezone": "Asia/Shanghai",
}


def _measure(*examples: Facts) -> Event:
    return Event("staff", tuple(_MEASURE | facts for facts in examples))


_ITEMS = [{"sku": "SLATE-9", "quantity": 1}]
_REPLACE = {
    "key": "replace",
    "remedies": [
        {"kind": "replacement", "items": _ITEMS, "at_once": False},
        {"kind": "collection", "items": _ITEMS, "at_once": False},
    ],
}
_REFUND = {
    "key": "refund",
    "remedies": [
        {"kind": "refund", "amount": "12800.00", "at_once": False},
        {"kind": "compensation", "amount": "1280.00", "at_once": False},
        {"kind": "carrier_claim", "at_once": True},
    ],
}
_WAIT = {"key": "wait", "remedies": [{"kind": "explanation", "at_once": True}, {"kind": "gift", "at_once": True}]}
_DAMAGED = {
    "severity": "moderate",
    "liable": "delivery",
    "cause": {"zh-CN": "外包装在转运中受压。", "en": "The packaging was crushed at a sorting hub."},
}
_STEPS = [
    {"kind": "rectification", "state": "dispatched"},
    {"kind": "replacement", "state": "dispatched", "items": _ITEMS},
    {"kind": "collection", "state": "waiting", "items": _ITEMS},
    {"kind": "compensation", "state": "done", "amount": "640.00"},
]
_DONE = [
    {"kind": "refund", "amount": "12800.00", "reference": "RF-20261118-7"},
    {"kind": "replacement", "items": _ITEMS, "reference": "WH-5521"},
]
_REPORT: Facts = {
    "finding": _DAMAGED,
    "done": _DONE,
    "prevention": {"zh-CN": "易碎品加装护角。", "en": "Fragile goods now travel with corner guards."},
    "paid": {"refund": "12800.00", "compensation": "640.00", "coupon": "0.00"},
}
_DUE = {"due_at": "2026-11-18T09:10:00+08:00", "promise": "detailed_result"}
_OUT_OF_STOCK = {"code": "partner_says", "params": {"who": "warehouse", "words": "Out of stock."}}
_AMOUNTS = {"amount": "2000.00", "limit": "640.00"}
_INSTALLATION: Facts = {
    "topic": "installation.defect",
    "topic_title": {"zh-CN": "安装缺陷", "en": "Installation defect"},
}
_INSTALLERS = {"who": "installation"}
_NO_ANSWER = {"code": "no_answer", "params": {"who": "refunds", "seconds": 8}}
_OVER_LIMIT = {
    "code": "approvable",
    "params": {
        "because": {
            "code": "over_limit",
            "params": {"kind": "compensation", "order": "SO-88121", **_AMOUNTS, "taken": "300.00", "currency": "CNY"},
        }
    },
}
_RESHIP = {"step": "reship", "kind": "reship", "partner": "warehouse", "items": _ITEMS, "key": f"{_CASE}/1/o1/reship"}
_VISIT = {
    "step": "rectification",
    "kind": "rectification",
    "partner": "installation",
    "key": f"{_CASE}/1/o1/rectification",
}
_CONTRADICTION = {"code": "contradiction", "params": {"who": "refunds"}}
_PAYMENT = {
    "step": "compensation",
    "kind": "compensation",
    "partner": "refunds",
    "amount": "2000.00",
    "key": f"{_CASE}/1/o1/compensation",
}

EVENTS: dict[str, Event] = {
    "acknowledged": _customer(
        {"result_due": "2026-11-20T09:00:00+08:00", "next": "verify", "asked": ["trail", "dispatch"]},
        {"result_due": None, "next": None},
    ),
    "offer": _customer(
        {
            "offer": 1,
            "consent_required": True,
            "options": [_REPLACE, _REFUND],
            "finding": _DAMAGED,
            "reply_by": "2026-11-25T09:10:00+08:00",
        },
        {"offer": 1, "consent_required": True, "options": [_REFUND], "finding": {"lost": True}, "reply_by": None},
        {"offer": 1, "consent_required": False, "options": [_WAIT], "finding": {"days_late": 2, "hours_late": 50.0}},
        {"offer": 1, "consent_required": False, "options": [_WAIT], "finding": {"days_late": 1, "hours_late": 1.5}},
        {"offer": 1, "consent_required": False, "options": [_WAIT], "finding": {"upheld": False}},
    ),
    "reminder": _customer(
        {"offer": 1, "options": [_REPLACE, _REFUND], "closes_at": "2026-11-25T09:10:00+08:00"},
        {"offer": 1, "options": [_REFUND], "closes_at": "2026-11-25T09:10:00+08:00"},
    ),
    "progress": _customer({"steps": _STEPS}),
    "evidence_request": _customer({"kinds": ["photo", "batch_number"]}),
    "evidence_reminder": _customer(
        {"kinds": ["photo"]}, {"kinds": ["proof_of_value"], "closes_at": "2026-11-25T09:10:00+08:00"}
    ),
    "explanation": _customer(
        {
            "cause": {"zh-CN": "高速封路", "en": "a closed motorway"},
            "expected_at": "2026-11-22T18:00:00+08:00",
            "days_late": 2,
            "due": True,
        },
        {**_INSTALLATION, "installed_by": "2026-11-22T18:00:00+08:00", "days_late": 1, "due": True},
        {"upheld": False, "due": False},
        {"found": True, "due": False},
    ),
    "apology": _customer({}),
    "answer": _customer(
        {
            "text": {
                "zh-CN": "可以冷藏保存。\n开封后请尽快用完。",
                "en": "It keeps in the fridge.\nOnce opened, use it up soon.",
            }
        },
        {"trail_state": "in_transit", "expected_at": "2026-11-22T18:00:00+08:00"},
    ),
    "stop_use_notice": _customer({"items": _ITEMS}),
    "report": _customer(
        {"outcome": "satisfied", **_REPORT},
        *({"outcome": outcome} for outcome in ("neutral", "unreachable", "no_response", "withdrawn", "informed")),
        {"outcome": "rejected", "finding": {"upheld": False}},
        {"outcome": "satisfied", "finding": {"lost": True, "days_late": 2}},
        {"finding": {"hours_late": 3}},
    ),
    "linked": _customer({"other_case_id": "HL-20261101-0007"}),
    "preliminary_plan": _customer(
        {
            "plan": {"zh-CN": "先暂停使用同批次商品。", "en": "Please set the goods of this batch aside for now."},
            "result_due": "2026-11-20T09:00:00+08:00",
        }
    ),
    "promise_warning": _staff({**_DUE, "rung": 1, "role": "owner", "percent": 80, "late": "entered_late"}),
    "promise_broken": _staff(
        {**_DUE, "rung": 2, "role": "team_lead", "percent": 100, "late": "registered_late"},
        {**_DUE, "promise": "acknowledge", "rung": 2, "role": "team_lead", "percent": 100, "urgent": True},
    ),
    "escalation": _staff(
        {**_DUE, "rung": 3, "role": "manager", "percent": 150, "late": "interrupted"},
        {**_DUE, "rung": 3, "role": "manager", "percent": 150, "next": "approval"},
    ),
    "step_blocked": _staff(
        {**_RESHIP, "team": "warehouse", "reason": _OUT_OF_STOCK},
        {**_PAYMENT, "team": "claims", "reason": _OVER_LIMIT, "paid": {"refund": "12800.00"}},
        {
            **_VISIT,
            **_INSTALLATION,
            "team": "installation",
            "reason": {"code": "partner_failed", "params": _INSTALLERS},
        },
        {**_PAYMENT, "team": "claims", "reason": _CONTRADICTION, "paid": {"compensation": "2000.00"}},
    ),
    "undelivered": _staff({"letter": "offer", "reason": {"code": "no_channel", "params": {"tried": ["sms", "email"]}}}),
    "needs_assessment": _staff({"missing": ["severity", "liable"], "severities": ["minor", "severe"]}, {"missing": []}),
    "needs_approval": _staff(
        {
            "approval": "o2",
            "options": [_REFUND],
            "over": [
                {"code": "over_amount", "params": {"option": "own", "kind": "compensation", **_AMOUNTS}},
                {"code": "grants_none", "params": {"option": "own", "kind": "gift"}},
            ],
        }
    ),
    "needs_offer": _staff({"reason": {"code": "declined", "params": {"offer": "o1"}}}),
    "silence": _staff({"offer": "o1", "since": "2026-11-18T09:10:00+08:00", "closes_at": "2026-11-25T09:10:00+08:00"}),
    "dissatisfied": _staff({"score": 1, "times": 2}),
    "suggestion": _staff({}),
    "carrier_claim": _staff(
        {
            "why": "documents",
            "claimed": "12800.00",
            "missing": ["dispatch_record"],
            "filed_at": "2026-12-17T09:10:00+08:00",
        },
        *({"why": why, "claimed": "12800.00"} for why in ("expired", "unanswered", "unknown")),
    ),
    "review": Event("staff", (_REVIEW,)),
    "webhook_disabled": _staff(
        *(
            {
                "endpoint": "whk_abc",
                "address": "https://hooks.example.org",
                "gone": gone,
                "since": "2026-11-18T09:10:00+08:00",
            }
            for gone in (True, False)
        )
    ),
    "later_call": _staff({"attempt": 1, "attempts": 3}),
    "measure_due": _measure({"state": "adopted"}),
    "measure_overdue": _measure({"state": "adopted", "role": "manager"}),
    "measure_closed": _measure(
        {"state": "done", "result": _RESULT, "by": "li.na"}, {"state": "dropped", "result": _RESULT, "by": "li.na"}
    ),
    "step_unknown": _staff({**_PAYMENT, "reason": _NO_ANSWER, "since": "2026-11-18T09:10:00+08:00"}),
}
"""The events by name. In facts, times are ISO 8601 and amounts are decimal strings in `currency`."""
