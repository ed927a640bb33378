"""Every text is in one language, and says what the case is about and what to do."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import policies
from cases.contract import CLAIM_SETTLED
from cases.inbox.messages import MESSAGES
from cases.partner_calls import Contact, CustomerMessage, StaffNotice
from cases.policy.remedy_kinds import MONEY, ROWS
from cases.reasons import AMOUNTS, SENTENCES
from cases.state.finding import PartialFinding
from cases.vocabulary import EvidenceKind, Outcome, PromiseName, RemedyKind, Role, StepState
from messages import EVENTS, LOCALES, Text, render_customer, render_staff
from tests.cases.lines import ORDERS
from tests.cases.world import open_case
from tests.console.test_help import VERBS

POLICIES = policies.load(Path(policies.__file__).parent)
TOPICS = [(line, topic) for line, policy in POLICIES.items() for topic in policy.topics]
STAFF = [name for name, event in EVENTS.items() if event.audience == "staff" and "order_id" in event.examples[0]]
"""The notices about cases; others are tested in files of their own."""
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
LATIN = re.compile(r"[A-Za-z][A-Za-z_.'’-]*")
QUOTED = re.compile(r"“[^”]*”")
COMMAND = re.compile(r"starter\.py (?:[a-z-]+ HL-1|webhook [a-z]+ whk_).*")
PLACEHOLDER = re.compile(r"(?<![\w-])[A-Z]{2,}(?![\w-])")
NOT_WORDS = re.compile(
    r"(?:claim-)?HL-[\w/-]+|\bo\d\b|SO-88121|SLATE-9|UTC[+-]\d+|HTTP \d+|AFTER_SALES_\w+|https?://[!-~]+|JSON"
)
FOR_PEOPLE = {*MESSAGES, CLAIM_SETTLED, "retry", "replace", "waive", "own"}
SITUATIONS = ("blocked", "unknown", "undelivered", "evidence", "approval", "consent")
STEPS = {kind.value for kind in RemedyKind}

REASON_PARAMS: dict[str, Any] = {
    **dict.fromkeys(AMOUNTS, "640.00"),
    "currency": "CNY",
    "offer": "o1",
    "step": "refund",
    "score": 1,
    "case": "HL-1",
    "order": "SO-88121",
    "outcome": "no_response",
    "option": "HL-1",
    "kind": "compensation",
    "team": "claims",
    "who": "refunds",
    "words": "No.",
    "http": 409,
    "seconds": 8,
    "tried": ["sms", "email"],
    "address": "http://127.0.0.1:8733",
    "within": "3",
    "key": "HL-1/1/o1/refund",
    "sku": "SLATE-9",
    **dict.fromkeys(("count", "left", "bought", "gone"), 2),
    "entries": [{"code": "declined", "params": {"offer": "o1"}}],
    "reasons": [{"code": "declined", "params": {"offer": "o1"}}],
    "because": {"code": "partner_failed", "params": {"who": "warehouse"}},
}


def _latin(text: str, *, allowed: set[str] = FOR_PEOPLE) -> set[str]:
    """Return the words of a Chinese text that are not Chinese, a command, an id or quoted."""
    placeholders = {word for line in COMMAND.findall(text) for word in PLACEHOLDER.findall(line)} - {"JSON", "SKU"}
    rest = NOT_WORDS.sub("", COMMAND.sub("", QUOTED.sub("", text)))
    return (set(LATIN.findall(rest)) - allowed - STEPS) | placeholders


def _assert_in(locale: str, text: Text) -> None:
    said = f"{text.subject}\n{text.body}"
    if locale == "en":
        assert not CHINESE.search(said), said
    else:
        assert _latin(said) == set(), said
        assert CHINESE.search(text.subject), said


def _step(kind: RemedyKind) -> dict[str, Any]:
    worth = {"amount": "640.00"} if kind in MONEY else {"items": [{"sku": "SLATE-9", "quantity": 1}]}
    key = f"HL-1/1/o1/{kind}"
    return {"step": kind.value, "kind": kind.value, "partner": ROWS[kind].partner.value, "key": key, **worth}


def _variations(event: str) -> Iterator[dict[str, Any]]:
    """Return the facts of a notice: its examples, each with every promise, step, reason and field it may name."""
    first = EVENTS[event].examples[0]
    yield from EVENTS[event].examples
    if "promise" in first:
        yield from ({**first, "promise": name.value, "late": True} for name in PromiseName)
        yield from ({**first, "next": name} for name in SITUATIONS)
    if "kind" in first:
        yield from ({**first, **_step(kind)} for kind in RemedyKind)
    if "reason" in first and event != "needs_offer":
        yield from ({**first, "reason": {"code": code, "params": REASON_PARAMS}} for code in SENTENCES)
        yield {**first, "reason": "Out of stock."}
    if "over" in first:
        yield from ({**first, "over": [{"code": code, "params": REASON_PARAMS}]} for code in SENTENCES)
    if event == "needs_assessment":
        yield from ({**first, "missing": [field]} for field in PartialFinding.model_fields)
    if event == "undelivered":
        yield from ({**first, "letter": name} for name, other in EVENTS.items() if other.audience == "customer")
    if event == "carrier_claim":
        yield {**first, "missing": ["order", "trail", "dispatch_record", *EvidenceKind]}


def _about(line: str, topic: str) -> dict[str, Any]:
    title = POLICIES[line].topics[topic].title.model_dump()
    return {"line": line, "topic": topic, "topic_title": title, "team": POLICIES[line].topics[topic].team}


def _notice(event: str, facts: dict[str, Any], locale: str) -> Text:
    notice = StaffNotice(key="k", case_id="HL-1", event=event, role=Role.OWNER, team="t", facts=facts)
    return render_staff(notice, locale)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", STAFF)
def test_every_notice_is_in_the_readers_language_for_all_its_facts(event: str, locale: str) -> None:
    """G10: for every promise, step, reason and field."""
    for facts in _variations(event):
        text = _notice(event, facts, locale)
        _assert_in(locale, text)
        assert "HL-1" in text.subject
        assert "HL-1" in text.body


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("line", "topic"), TOPICS)
def test_every_notice_is_in_the_readers_language_for_every_topic(line: str, topic: str, locale: str) -> None:
    """G10."""
    for event in STAFF:
        for facts in EVENTS[event].examples:
            _assert_in(locale, _notice(event, {**facts, **_about(line, topic)}, locale))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", SENTENCES)
def test_every_reason_is_complete(code: str, locale: str) -> None:
    """Each of its parameters is shown, in the reader's language."""
    reason = {"code": code, "params": REASON_PARAMS}
    [sentence] = re.findall(
        r"(?:Reason: |原因：)(.*?)(?:\. Team|。处理团队)", _notice("step_blocked", _blocked(reason), locale).body
    )

    assert len(sentence) > 5
    assert not re.search(r"\(\)|（）|“”|  |\{|\}| ,|： *$", sentence), sentence


def _blocked(reason: Any) -> dict[str, Any]:
    return {**_step(RemedyKind.REFUND), "team": "claims", "currency": "CNY", "reason": reason}


def test_text_of_a_partner_is_quoted_unchanged_and_attributed() -> None:
    """G6."""
    reason = {"code": "partner_says", "params": {"who": "refunds", "words": "Account closed."}}

    assert "Reason: refunds says: “Account closed”." in _notice("step_blocked", _blocked(reason), "en").body
    assert "原因：退款方答复：“Account closed”。" in _notice("step_blocked", _blocked(reason), "zh-CN").body


def test_plain_sentence_of_an_older_case_is_quoted() -> None:
    """A case from before reasons were structured."""
    old = "refunds refused with HTTP 422"

    assert f"原因：“{old}”。" in _notice("step_blocked", _blocked(old), "zh-CN").body


def test_ids_in_a_reason_are_not_taken_for_telephone_numbers() -> None:
    params = {**REASON_PARAMS, "order": "20261118000123"}
    body = _notice("step_blocked", _blocked({"code": "over_paid", "params": params}), "en").body

    assert "on order 20261118000123" in body


@pytest.mark.parametrize("locale", LOCALES)
def test_reason_of_a_newer_version_is_still_shown(locale: str) -> None:
    assert "of tomorrow" in _notice("step_blocked", _blocked({"code": "of_tomorrow"}), locale).body


# What to do


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", [name for name in STAFF if name != "carrier_claim"])
def test_every_notice_says_what_to_do_with_a_command_that_exists(event: str, locale: str) -> None:
    """G10: the message, and the id of the case or webhook."""
    for facts in _variations(event):
        commands = re.findall(r"starter\.py ([a-z-]+) (?:HL-1|[a-z]+ whk_)", _notice(event, facts, locale).body)
        assert commands
        assert set(commands) <= {*MESSAGES, "show", "later-call", "webhook"}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_command_of_a_notice_has_only_fields_of_its_message(locale: str) -> None:
    lines = {line for event in STAFF for facts in _variations(event) for line in _commands(event, facts, locale)}

    for name, options in sorted(lines):
        flags = set(re.findall(r"--([a-z-]+)", options))
        known = {option.removeprefix("--") for param in VERBS[name].params for option in param.opts}
        assert {flag.removeprefix("no-") for flag in flags} <= known, (name, options)


def _commands(event: str, facts: dict[str, Any], locale: str) -> Iterator[tuple[str, str]]:
    for name, options in re.findall(r"starter\.py ([a-z-]+) HL-1(.*)", _notice(event, facts, locale).body):
        if name != "show":
            yield name, options


def test_blocked_step_has_headline_amounts_choices_and_key_in_this_order() -> None:
    """G6."""
    facts = {**EVENTS["step_blocked"].examples[1]}
    text = _notice("step_blocked", facts, "en")

    assert text.subject == "Step compensation is blocked: compensation of CN¥2,000.00 · case HL-1"
    opening, headline, amounts, choices, key = text.body.split("\n\n")
    assert opening.startswith("Case HL-1. Order SO-88121.")
    assert headline.startswith("Step compensation is blocked: compensation of CN¥2,000.00.")
    assert amounts.startswith("Amount of this step: CN¥2,000.00. Paid so far in this case: refund of CN¥12,800.00.")
    assert [line.partition(":")[0] for line in choices.splitlines()] == [
        "Choose one",
        "- retry",
        "- replace",
        "- waive",
    ]
    assert key == "Key, for engineers: HL-20261118-0001/1/o1/compensation"


def test_retry_of_a_step_beyond_the_limit_is_called_an_approval() -> None:
    """S15."""
    body = _notice("step_blocked", EVENTS["step_blocked"].examples[1], "en").body

    assert "- retry: approve the payment beyond the limit" in body
    assert "- retry: try the step again" not in body


@pytest.mark.parametrize(
    ("locale", "retry"),
    [
        ("en", "- retry: ask refunds about the earlier request. Only if"),
        ("zh-CN", "- 重试（retry），先向退款方查询原请求的结果"),
    ],
)
@pytest.mark.parametrize("code", ["contradiction", "taken_back", "taken_back_because"])
def test_retry_of_a_contested_step_is_called_a_question(code: str, locale: str, retry: str) -> None:
    """S25, S27: so that nobody fears a double payment."""
    reason = {"code": code, "params": {"who": "refunds", "words": "account closed"}}

    assert retry in _notice("step_blocked", {**EVENTS["step_blocked"].examples[1], "reason": reason}, locale).body


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("Asia/Shanghai", "18 Nov, 09:10 (UTC+8)"),
        ("Asia/Kolkata", "18 Nov, 06:40 (UTC+5:30)"),
        ("UTC", "18 Nov, 01:10 (UTC)"),
        ("America/St_Johns", "17 Nov, 21:40 (UTC-3:30)"),
    ],
)
def test_time_has_its_zone(zone: str, time: str) -> None:
    facts = {"since": "2026-11-18T09:10:00+08:00", "offer": "o1", "timezone": zone}

    assert f"was delivered on {time}." in _notice("silence", facts, "en").body


# What it is about


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("topic", [topic for _, topic in TOPICS if topic.startswith("installation.")])
def test_texts_about_an_installation_mention_no_carrier_and_no_warehouse(topic: str, locale: str) -> None:
    """G2, G10: from the opening through all rungs."""
    world = open_case(topic).after(days=4)
    texts = [text for number, text in enumerate(world.texts) if LOCALES[number % len(LOCALES)] == locale]

    assert {letter.event for letter in world.sent} >= {
        "acknowledged",
        "promise_warning",
        "promise_broken",
        "escalation",
    }
    for text in texts:
        assert not re.search(r"carrier|warehouse|parcel|delivery|承运|仓库|包裹|送达", text.body), text.body


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("line", "topic"), TOPICS)
def test_every_letter_of_a_neglected_case_is_in_the_readers_language(line: str, topic: str, locale: str) -> None:
    """G2, G10: in every topic, through all rungs."""
    order, affected = ORDERS.get(line, (None, None))
    goods: dict[str, Any] = {"order": order, "affected": affected} if order else {}
    world = open_case(topic, line=line, customer={"name": "李薇", "phone": "13800000000"}, **goods).after(days=9)
    texts = [text for number, text in enumerate(world.texts) if LOCALES[number % len(LOCALES)] == locale]

    assert texts
    for text in texts:
        said = f"{text.subject}\n{text.body}".replace("李薇", "")
        if locale == "en":
            assert not CHINESE.search(said), said
        else:
            assert _latin(said, allowed=FOR_PEOPLE | {"BEEF", "GREENS", "IF-", "P-"}) == set(), said


@pytest.mark.parametrize(
    ("state", "chinese", "english"),
    [
        (StepState.DISPATCHED, "技师已出发", "the technician is on the way"),
        (StepState.RUNNING, "安排中", "being arranged"),
        (StepState.DONE, "已完成", "done"),
    ],
)
def test_visit_is_called_on_its_way_not_sent(state: StepState, chinese: str, english: str) -> None:
    """G7."""
    steps = [{"kind": "rectification", "state": state.value}]

    assert f"- 上门整改：{chinese}" in _letter("progress", {"steps": steps}, "zh-CN").body
    assert f"- Visit to correct the installation: {english}" in _letter("progress", {"steps": steps}, "en").body


@pytest.mark.parametrize(
    ("asked", "english", "chinese"),
    [
        (["installation"], "check with the installation partner.", "先向安装服务商核实情况。"),
        (["dispatch"], "check with the warehouse.", "先向仓库核实情况。"),
        (["trail", "dispatch"], "the carrier and the warehouse.", "先向承运商和仓库核实情况。"),
    ],
)
def test_acknowledgement_names_whom_we_ask(asked: list[str], english: str, chinese: str) -> None:
    """G2, G3."""
    facts = {"next": "verify", "asked": asked}

    assert english in _letter("acknowledged", facts, "en").body
    assert chinese in _letter("acknowledged", facts, "zh-CN").body


@pytest.mark.parametrize("outcome", Outcome)
def test_customers_read_no_code(outcome: Outcome) -> None:
    """G9: no name with an underscore, no command."""
    for event in (name for name, other in EVENTS.items() if other.audience == "customer"):
        for facts in EVENTS[event].examples:
            for locale in LOCALES:
                assert not re.search(
                    r"[a-z]_[a-z]|starter\.py", _letter(event, {**facts, "outcome": outcome}, locale).body
                )


def _letter(event: str, facts: dict[str, Any], locale: str) -> Text:
    to = Contact(name="李薇" if locale == "zh-CN" else "Wei Li", phone="13800000000", locale=locale)
    return render_customer(CustomerMessage(key="k", case_id="HL-1", event=event, to=to, routes=[], facts=facts))


@pytest.mark.parametrize(
    ("kind", "chinese", "english"),
    [
        ("collection", "上门取件：已取件", "Pick-up of the goods: picked up"),
        ("refund", "退款：款项已汇出", "Refund: sent to you"),
        ("reship", "补发：已发出", "New shipment: on its way"),
    ],
)
def test_dispatched_steps_are_described_by_their_kind(kind: str, chinese: str, english: str) -> None:
    """G7."""
    steps = [{"kind": kind, "state": "dispatched"}]

    assert f"- {chinese}" in _letter("progress", {"steps": steps}, "zh-CN").body
    assert f"- {english}" in _letter("progress", {"steps": steps}, "en").body


def test_several_reasons_in_one_are_separated() -> None:
    """S35."""
    two = [{"code": "declined", "params": {"offer": offer}} for offer in ("o1", "o2")]
    reason = {"code": "order_exhausted", "params": {"reasons": two}}

    assert (
        "the customer declined o1; the customer declined o2." in _notice("needs_offer", {"reason": reason}, "en").body
    )
