"""Every letter that a case writes can be read, in every language: nothing is garbled and nothing raises."""

import re

import pytest

from cases.state.letter import Audience
from cases.state.summary import waits_for
from cases.vocabulary import KEPT_WHEN, KeptWhen, PromiseName, Status
from messages import LOCALES
from tests.cases.letters import rendered
from tests.cases.stages import blocked
from tests.cases.world import World, a_trail, late_by, open_case

REMNANTS = re.compile(r"\{\{|\}\}|\{%|None|Undefined|\bTrue\b|\bFalse\b|Decimal|datetime|  ")


def satisfied() -> World:
    world = open_case("transport.damage")
    world.says("assess", severity="moderate", liable="delivery", cause="crushed at a hub")
    world.after(days=2)
    world.says("customer-approved")
    world.after(days=1)
    world.says("step-reported", step="replacement", state="done")
    world.says("step-reported", step="collection", state="done")
    world.after(days=1)
    world.says("satisfaction-reported", score=5)
    return world


def silent() -> World:
    return late_by(9).after(days=8)


def rejected() -> World:
    world = open_case("transport.damage")
    world.says("assess", upheld=False)
    return world


def withdrawn() -> World:
    world = open_case("installation.attitude")
    world.says("complaint-withdrawn")
    return world


def informed_at_once() -> World:
    expected = "2026-11-20T12:00:00+08:00"
    world = open_case(
        "transport.delay", trail=a_trail(promised_at="2026-11-17T12:00:00+08:00", expected_at=expected, cause="snow")
    )
    world.says("step-reported", step="gift", state="done")
    return world.after(days=4)


def apologised() -> World:
    world = open_case("installation.attitude")
    world.says("assess", upheld=True)
    world.says("satisfaction-reported", score=3)
    return world


def disputed() -> World:
    world = open_case("transport.loss", trail=a_trail(state="lost"))
    world.says("customer-declined", reason="too little")
    options = [{"key": "own", "remedies": [{"kind": "compensation", "amount": "9000.00"}]}]
    world.says("propose", by="li", options=options)
    world.says("reject", by="wu")
    world.says("propose", by="li", options=options)
    world.says("approve", by="wu")
    world.says("customer-approved")
    world.says("satisfaction-reported", score=1)
    return world


def step_replaced() -> World:
    world = blocked()
    world.says("resolve-step", step="replacement", action="replace", reason="out of stock")
    return world


def neglected() -> World:
    return (
        open_case("installation.defect", down={Audience.CUSTOMER}, urgent=True)
        .after(days=9)
        .comes_back(Audience.CUSTOMER)
    )


def unreachable() -> World:
    world = open_case("transport.damage")
    world.closed = {Audience.CUSTOMER}
    world.says("assess", severity="severe")
    world.says("customer-approved")
    world.says("satisfaction-reported", score=4)
    return world


STORIES = [
    satisfied,
    silent,
    rejected,
    withdrawn,
    informed_at_once,
    apologised,
    disputed,
    step_replaced,
    neglected,
    unreachable,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_letter_of_a_case_can_be_read_in_every_language(story: object) -> None:
    """G2, G4, G7–G10: with a subject and a text, and no trace of a template."""
    assert callable(story)
    world = story()

    read = [letter for letter in world.sent if letter.audience is not Audience.CALLBACK]
    assert len(world.texts) == len(read) * len(LOCALES) > 0
    for text in world.texts:
        assert text.subject.strip()
        assert "HL-1" in text.subject
        assert len(text.body) > len("HL-1") + 10
        assert not REMNANTS.search(text.subject + text.body), text


def test_the_stories_write_every_event_that_a_case_has() -> None:
    """So that none goes unread."""
    written = {letter.event for story in STORIES for letter in story().sent}

    assert written == {
        *("acknowledged", "offer", "reminder", "progress", "explanation", "apology", "report", "callback"),
        *("promise_warning", "promise_broken", "escalation", "step_blocked", "needs_assessment", "needs_approval"),
        *("needs_offer", "silence", "dissatisfied", "undelivered"),
    }


def test_a_letter_speaks_the_readers_language() -> None:
    world = withdrawn()

    english, chinese = (
        next(t for t, where in zip(world.texts, LOCALES * 9, strict=False) if where == locale)
        for locale in ("en", "zh-CN")
    )

    assert re.search("[\u4e00-\u9fff]", chinese.body)
    assert not re.search("[\u4e00-\u9fff]", english.body)


def test_an_offer_names_what_is_offered_and_until_when() -> None:
    """G4, G5."""
    world = late_by(9)
    offer = world.letters("offer")[0]
    english = rendered(world.case, offer)[LOCALES.index("en")]

    for said in ("CN¥1,152.00", "CN¥12,800.00", "CN¥640.00", "Option 1", "Option 2", "25 Nov", "9 days"):
        assert said in english.body


def test_a_blocked_letter_is_named_in_words() -> None:
    """G6: staff read what could not be done."""
    world = open_case("transport.damage", answers={"replacement": "refused"})
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    english = rendered(world.case, world.letters("step_blocked")[0])[LOCALES.index("en")]

    assert "Step replacement is blocked: replacement (SLATE-9 × 1)." in english.body
    assert "Reason: “partner: refused”." in english.body


@pytest.mark.parametrize(
    ("status", "promise", "expected"),
    [
        (Status.ASSESSING, PromiseName.DETAILED_RESULT, None),
        (Status.AWAITING_EVIDENCE, PromiseName.DETAILED_RESULT, "evidence"),
        (Status.AWAITING_APPROVAL, PromiseName.CLAIM_DECISION, "approval"),
        (Status.AWAITING_CONSENT, PromiseName.SOLUTION, "consent"),
        (Status.AWAITING_APPROVAL, PromiseName.ACKNOWLEDGE, None),
        (Status.EXECUTING, PromiseName.MAKE_GOOD, None),
    ],
)
def test_a_promise_that_waits_for_something_else_says_for_what(
    status: Status, promise: PromiseName, expected: str | None
) -> None:
    """G10: the notice says what helps."""
    case = open_case("transport.damage").case.model_copy(update={"status": status})

    assert waits_for(case, KEPT_WHEN[promise]) == expected


def test_a_promise_that_a_blocked_step_holds_up_says_so() -> None:
    """G10."""
    world = open_case("transport.damage", answers={"replacement": "refused"})
    world.says("assess", severity="moderate")
    world.says("customer-approved")

    assert waits_for(world.case, KeptWhen.MADE_GOOD) == "blocked"
    assert waits_for(world.case, KeptWhen.UPDATE_DELIVERED) is None
