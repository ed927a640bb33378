"""None"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import messages
from cases.errors import InvalidInput
from cases.reasons import SENTENCES, Reason
from cases.state.finding import PartialFinding
from cases.vocabulary import Outcome
from messages import EVENTS, LOCALES, Text, preview
from tests.messages.rendering import to_customer, to_staff
from tests.profiles import scaled

CUSTOMER = [name for name, event in EVENTS.items() if event.audience == "customer"]
STAFF = [name for name, event in EVENTS.items() if event.audience == "staff"]
REMNANTS = re.compile(r"\{|\}|None|Undefined|True|False|\n\n\n|  |[ \t]\n|： *。|: *\.|（）|\(\)|。。|\.\. |，，|<|>")


def _rendered(event: str, facts: dict[str, Any], locale: str) -> Text:
    return to_customer(event, facts, locale) if event in CUSTOMER else to_staff(event, facts, locale)


def _assert_well_formed(text: Text) -> None:
    assert 0 < len(text.subject) <= 120
    assert text.subject.splitlines() == [text.subject]
    assert 0 < len(text.body) <= 4000
    assert not REMNANTS.search(text.subject + "\n" + text.body), text
    assert text.body == text.body.strip()


# Every text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_event_reads_well_with_its_examples(locale: str) -> None:
    texts = list(preview(locale))

    assert {name for name, _ in texts} == set(EVENTS)
    for _, text in texts:
        _assert_well_formed(text)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_event_reads_well_with_only_the_case(event: str, locale: str) -> None:
    text = _rendered(event, {}, locale)

    _assert_well_formed(text)
    assert "C-1" in text.subject
    assert "C-1" in text.body


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", EVENTS)
def test_nulls_are_treated_as_missing(event: str, locale: str) -> None:
    facts = {key: None for example in EVENTS[event].examples for key in example}

    assert _rendered(event, facts, locale) == _rendered(event, {}, locale)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("audience", ["customer", "staff"])
def test_every_sentence_is_shown_by_some_example(audience: str, locale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt name would silently leave its sentence out."""
    shown, rendered = set(), messages.sentence

    def noted(line: str, context: Any) -> str:
        if text := rendered(line, context):
            shown.add(line)
        return text

    monkeypatch.setattr(messages, "sentence", noted)
    list(preview(locale))

    texts = YAML(typ="safe").load(Path(messages.__file__).parent / locale / f"{audience}.yaml")
    written = {texts["opening"], *(paragraph for event in texts["events"].values() for paragraph in event["body"])}
    assert {line for paragraph in written for line in paragraph.splitlines()} - shown == set()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("audience", ["customer", "staff"])
def test_every_language_has_a_text_for_every_event_and_no_other(audience: str, locale: str) -> None:
    texts = YAML(typ="safe").load(Path(messages.__file__).parent / locale / f"{audience}.yaml")

    assert set(texts["events"]) == set(CUSTOMER if audience == "customer" else STAFF)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("group", "names"), messages.NAMED.items())
def test_every_language_has_a_label_for_every_name(group: str, names: Iterable[str], locale: str) -> None:
    words = YAML(typ="safe").load(Path(messages.__file__).parent / locale / "words.yaml")

    assert set(names) - set(words[group]) == set()
    assert all(words[group].values())
    assert len(set(words[group].values())) == len(words[group])


def test_kind_of_remedy_without_a_label_or_letter_without_a_text_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages.check_words()

    def shortened(locale: str, name: str) -> Any:
        texts = YAML(typ="safe").load(Path(messages.__file__).parent / locale / f"{name}.yaml")
        texts.get("remedy", {}).pop("gift", None)
        texts.get("events", {}).pop("apology", None)
        return texts

    monkeypatch.setattr(messages, "_yaml", shortened)
    monkeypatch.setattr(messages, "_words", lambda locale: shortened(locale, "words"))
    with pytest.raises(InvalidInput) as refused:
        messages.check_words()

    assert [str(problem) for problem in refused.value.problems] == [
        *(f"messages/{locale}/words.yaml: remedy has no word for gift" for locale in LOCALES),
        *(f"messages/{locale}/customer.yaml: has no text for apology" for locale in LOCALES),
    ]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_names_what_a_person_has_to_find_out(locale: str) -> None:
    words = YAML(typ="safe").load(Path(messages.__file__).parent / locale / "words.yaml")

    assert set(words["finding"]) == {*PartialFinding.model_fields, "order.delivered_at"}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_the_same_labels(locale: str) -> None:
    folder = Path(messages.__file__).parent
    words, others = (
        {"reason": SENTENCES} | YAML(typ="safe").load(folder / name / "words.yaml") for name in (locale, "en")
    )

    assert {group: set(words[group]) for group in words} == {group: set(others[group]) for group in others}


def test_event_without_a_text_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"^event: 'nonsense' has no text in en/customer\.yaml$"):
        to_customer("nonsense", {})


@pytest.mark.parametrize(
    "line", ["{{ a }} b", "{{ a ~ 'b' }}", "{% if a %}b{% else %}c{% endif %}", "{{ [] }}", "{{ '' }}"]
)
def test_sentence_that_needs_a_missing_value_is_left_out(line: str) -> None:
    assert messages.sentence(line, {}) == ""


# Content


def _options(n: int) -> list[dict[str, Any]]:
    return [
        {"key": f"o{i}", "remedies": [{"kind": "refund", "amount": f"{i}.00", "at_once": False}]}
        for i in range(1, n + 1)
    ]


def test_several_options_are_numbered_in_order_and_one_is_asked_for() -> None:
    """G5: the customer chooses one option."""
    body = to_customer("offer", {"options": _options(2), "consent_required": True, "currency": "CNY"}).body

    assert "- Option 1: refund of CN¥1.00\n- Option 2: refund of CN¥2.00\n" in body
    assert "reply with the number" in body


def test_only_option_is_asked_for_with_a_yes() -> None:
    """G5: nothing is carried out before the customer's consent."""
    body = to_customer("offer", {"options": _options(1), "consent_required": True, "currency": "CNY"}).body

    assert "- Refund of CN¥1.00\n" in body
    assert "reply YES" in body
    assert "number" not in body


@pytest.mark.parametrize("locale", LOCALES)
def test_no_consent_is_asked_for_if_none_is_needed(locale: str) -> None:
    facts = {"options": _options(1), "currency": "CNY", "reply_by": "2026-11-18T09:10:00+08:00"}

    without = to_customer("offer", {**facts, "consent_required": False}, locale).body
    assert "YES" not in without
    assert "“同意”" not in without
    assert "09:10" not in without


@pytest.mark.parametrize(("locale", "remedy"), [("zh-CN", "换货（SLATE-9 × 2）"), ("en", "Replacement (SLATE-9 × 2)")])
def test_offer_names_its_goods(locale: str, remedy: str) -> None:
    items = [{"sku": "SLATE-9", "quantity": 2}]
    options = [{"key": "replace", "remedies": [{"kind": "replacement", "items": items, "at_once": False}]}]

    assert f"- {remedy}\n" in to_customer("offer", {"options": options}, locale).body


def test_offer_names_its_reasons() -> None:
    """G4: the detailed result comes with the reasons."""
    finding = {"severity": "severe", "days_late": 3, "liable": "delivery", "cause": "Lorry broke down."}
    body = to_customer("offer", {"finding": finding, "options": _options(1)}).body

    assert (
        "We found a delay of 3 days. We have assessed the problem as severe. Responsible: delivery. "
        "Cause: Lorry broke down." in body
    )


def test_customer_is_not_called_liable_in_the_text() -> None:
    assert "Responsible" not in to_customer("offer", {"finding": {"liable": "customer"}}).body


@pytest.mark.parametrize("locale", LOCALES)
def test_each_outcome_has_a_different_report(locale: str) -> None:
    """G9: the report says how the case ended."""
    bodies = {to_customer("report", {"outcome": outcome}, locale).body for outcome in [*Outcome, None]}

    assert len(bodies) == len(Outcome) + 1


def test_report_leaves_out_what_was_not_paid() -> None:
    paid = {"refund": "640.00", "compensation": "0.00", "coupon": "5.00"}

    body = to_customer("report", {"paid": paid, "currency": "CNY"}).body
    assert "Total paid: refund of CN¥640.00, coupon of CN¥5.00." in body
    assert "In all" not in to_customer("report", {"paid": dict.fromkeys(paid, "0.00"), "currency": "CNY"}).body


def test_many_items_are_counted_not_listed() -> None:
    items = [{"sku": f"S-{n}", "quantity": n} for n in range(1, 8)]

    body = to_customer("stop_use_notice", {"items": items}).body
    assert "S-5 × 5 and more, 7 in total." in body
    assert "S-6" not in body


def test_late_notice_says_so() -> None:
    """S8: an outage can be distinguished from neglect."""
    for late in (True, "interrupted"):  # true: from before there were reasons
        assert "The system was interrupted" in to_staff("promise_broken", {"late": late}).body
    for other in (False, None, "registered_late"):
        assert "The system was interrupted" not in to_staff("promise_broken", {"late": other}).body


def test_what_to_do_follows_the_promise_by_default() -> None:
    assert "Please decide on the claim." in to_staff("escalation", {"promise": "claim_decision"}).body
    approval = to_staff("escalation", {"promise": "claim_decision", "next": "approval"}).body
    assert "Please have the pending offer approved or rejected." in approval
    assert "decide on the claim" not in approval


def test_urgent_notice_is_marked_in_its_subject() -> None:
    assert to_staff("silence", {}, "zh-CN", urgent=True).subject == "【紧急】客户一直未答复 · 工单 C-1"
    assert to_staff("silence", {"urgent": True}).subject.startswith("[URGENT] ")
    assert to_staff("silence", {}).subject.startswith("No answer")


@pytest.mark.parametrize("event", STAFF)
def test_notices_to_staff_have_no_personal_data(event: str) -> None:
    private = "Li Wei, li.wei@example.com, 138-0000 0000 or +44 20 7946 0958"
    facts = {
        **EVENTS[event].examples[0],
        "name": "Li Wei",
        "asked_by": "zhang.san",
        "reason": private[7:],
        "over": [private[7:]],
    }

    text = to_staff(event, facts)
    for value in ("Li Wei", "zhang.san", "example.com", "0000", "7946"):
        assert value not in text.body
    about = next(filter(None, (facts.get(name) for name in ("order_id", "review_id", "measure_id"))))
    assert str(about) in text.body


def test_text_of_a_customer_is_not_shown_to_staff_as_a_reason() -> None:
    reason = Reason.of("declined", offer="o1").model_dump()
    assert "Reason: the customer declined o1." in to_staff("needs_offer", {"reason": reason}).body
    assert to_staff("needs_offer", {"reason": "o1 declined: I am Li Wei"}) == to_staff("needs_offer", {})


def test_reason_for_staff_keeps_its_date() -> None:
    body = to_staff("step_blocked", {"reason": "No crew before 2026-11-20, call 13800000000."}).body

    assert "Reason: “No crew before 2026-11-20, call ***”." in body


# Text from outside


@pytest.mark.parametrize(
    "name", ["{{7*7}}", "{% for x in range(9) %}x{% endfor %}", "{{ config }}", "{# no #}", "{amount}"]
)
def test_template_in_a_customers_name_stays_text(name: str) -> None:
    assert to_customer("apology", {}, "zh-CN", name).body.startswith(f"{name}，您好！")
    assert f"Cause: {name}." in to_customer("explanation", {"cause": name}).body
    assert (
        f"- {name} of CN¥1.00\n"
        in to_customer("report", {"done": [{"kind": name, "amount": "1"}], "currency": "CNY"}).body
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Wei\x00\x1b[31m Li\x07", "Wei[31m Li"),
        ("Wei\r\n\r\nBcc: x", "Wei Bcc: x"),
        ("\u202eiL\u202c \u200bieW\ufeff", "iL ieW"),
        ("Wei\u2028Li\x85x", "Wei Li x"),
        ("Wei\ud800 Li", "Wei Li"),
        ("  Wei \t Li ", "Wei Li"),
        ("\x00\u200b", ""),
    ],
)
def test_control_characters_never_reach_a_text(name: str, shown: str) -> None:
    body = to_customer("apology", {}, "en", name).body

    assert body.startswith(f"Hello {shown},\n" if shown else "Hello,\n")


def test_longer_text_keeps_its_paragraphs() -> None:
    body = to_customer("answer", {"text": "One.\r\nTwo.\n\n\n\n Three.\x07"}).body

    assert "\n\nOne.\nTwo.\n\nThree.\n\n" in body


def test_text_is_cut_to_its_limits() -> None:
    options = [{"remedies": [{"kind": "refund", "reference": "R" * 900}] * 3}] * 4

    assert len(to_customer("offer", {"options": options}).body) == 4000
    assert to_customer("offer", {"options": options}).body.endswith("…")
    assert len(to_customer("answer", {"text": "字" * 9000}, "zh-CN").body) < 2300


def test_invalid_amount_leaves_out_only_its_sentence() -> None:
    done = [{"kind": "refund", "amount": "1e999999"}]

    assert to_customer("report", {"done": done, "currency": "CNY"}) == to_customer("report", {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.just("9" * 9000),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "amount", "items", "sku", "quantity", "remedies", "state", "en", "zh-CN", "cause"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


NAMES = sorted(
    {key for event in EVENTS.values() for example in event.examples for key in example} | {"self", "reader", "facts"}
)


@given(
    event=st.sampled_from(sorted(EVENTS)),
    facts=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
    name=st.text(max_size=300),
    locale=st.sampled_from(LOCALES),
)
@settings(max_examples=scaled(60), suppress_health_check=[HealthCheck.too_slow])
def test_no_facts_raise_or_break_the_limits(event: str, facts: dict[str, Any], name: str, locale: str) -> None:
    customer = event in CUSTOMER
    text = to_customer(event, facts, locale, name) if customer else to_staff(event, facts, locale)

    assert 0 < len(text.subject) <= 120
    assert 0 < len(text.body) <= 4000
    assert len(text.subject.splitlines()) == 1
    assert not {char for char in text.body if ord(char) < 32} - {"\n"}
    assert "Undefined" not in text.body
    text.body.encode()
