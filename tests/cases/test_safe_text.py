"""Ids and names are compared the same way everywhere (S29)."""

from typing import Any

import pytest

from cases.complaint import Complaint
from cases.errors import InvalidInput, Refusal
from cases.inbox.messages import MESSAGES, read
from cases.text import readable, same_name
from tests.cases.inbox.test_messages_of_a_case import VALID
from tests.cases.world import START, a_complaint, open_case
from tests.complaints import check_complaint

HIDDEN = {
    "zero width space": "\u200b",
    "joiner": "\u200d",
    "non-joiner": "\u200c",
    "mark of direction": "\u200e",
    "override": "\u202e",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "variation selector": "\ufe0f",
    "another selector": "\U000e0100",
    "Hangul filler": "\u3164",
    "half-width filler": "\uffa0",
    "blank Braille": "\u2800",
    "tag": "\U000e0041",
    "line separator": "\u2028",
    "private use": "\ue000",
}
hidden = pytest.mark.parametrize("char", HIDDEN.values(), ids=HIDDEN)


def faults(**fields: Any) -> set[str]:
    """The fields at fault of a complaint."""
    try:
        check_complaint(a_complaint(**fields), START)
    except InvalidInput as error:
        return {problem.field for problem in error.problems}
    return set()


def with_sku(sku: str) -> dict[str, Any]:
    return {"order": {"items": [{"sku": sku, "quantity": 4, "unit_price": "3125.00"}]}, "affected": None}


@hidden
def test_id_with_an_invisible_character_is_refused(char: str) -> None:
    """S29: otherwise `SO-1` could be two orders, with two ledgers."""
    assert faults(order={"order_id": f"SO{char}-1"}) == {"order.order_id"}
    assert faults(order={"tracking_no": f"Y{char}T"}) == {"order.tracking_no"}
    assert faults(order={"carrier": f"Yi{char}tong"}) == {"order.carrier"}
    assert faults(**with_sku(f"SLATE{char}9")) == {"order.items.0.sku"}
    assert faults(affected=[{"sku": f"SLATE{char}-9", "quantity": 1}]) == {"affected.0.sku"}
    assert "line" in faults(line=f"building{char}_materials")
    assert {"case_id", "follows"} <= faults(case_id=f"HL-1{char}", follows=f"HL-0{char}")


@hidden
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("note", "message_id"),
        ("customer-approved", "offer"),
        ("customer-approved", "option"),
        ("step-reported", "step"),
        ("step-reported", "key"),
        ("approve", "approval"),
        ("assign", "team"),
        ("acknowledge-escalation", "promise"),
        ("move-policy", "version"),
    ],
)
def test_an_id_in_a_message_is_held_to_the_same(char: str, name: str, field: str) -> None:
    """S29."""
    with pytest.raises(Refusal, match=rf"{field}: (contains an invisible character|string should match)"):
        read(name, {**VALID[name], field: f"x{char}y"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("ＳＯ－１", "SO-1"),
        ("SO-1\u00a0", "SO-1"),
        ("SO\u30001", "SO 1"),
        ("SO-①", "SO-1"),
        ("ｶ-1", "カ-1"),
        ("Ⅳ", "IV"),
    ],
)
def test_an_id_is_kept_in_the_form_in_which_it_is_compared(given: str, kept: str) -> None:
    """S29: NFKC, so that full-width digits make no second order."""
    complaint = check_complaint(a_complaint(order={"order_id": given}), START)

    assert complaint.order is not None
    assert complaint.order.order_id == kept


def test_two_spellings_of_one_sku_are_one() -> None:
    """S29: what is affected is found among the items."""
    items = [
        {"sku": "ＳＬＡＴＥ－９", "quantity": 2, "unit_price": "1.00"},
        {"sku": "SLATE-9", "quantity": 2, "unit_price": "1.00"},
    ]

    assert faults(affected=[{"sku": "ＳＬＡＴＥ－９", "quantity": 1}]) == set()
    assert faults(order={"items": items}, affected=None) == {"order.items"}


def test_letters_of_two_scripts_that_look_alike_stay_different() -> None:
    """S29, what it does not do: no normal form of Unicode makes Latin `a` and Cyrillic `а` one."""
    assert same_name("l\u0430o") != same_name("lao")


@pytest.mark.parametrize("char", [*HIDDEN.values(), "\u0301", "\u20dd", "-", "😀", "\u00a0\u200b"])
def test_a_name_needs_a_letter_or_a_digit_that_can_be_seen(char: str) -> None:
    """S29."""
    assert faults(customer={"name": char, "phone": "1"}) == {"customer.name"}
    with pytest.raises(Refusal, match="by: "):
        read("note", {"text": "x", "by": char})
    with pytest.raises(Refusal, match="owner: "):
        read("assign", {"owner": char})


@pytest.mark.parametrize(
    "name",
    [
        "李 娜",
        "李\u3000娜",
        "क्\u200dष",
        "علی\u200cرضا",
        "Zoe ❤️",
        "O'Neil-Smith",
        "ನ್\u200d",
        "7",
        "\u200eDana",
        "👩\u200d🚀 Ann",
    ],
)
def test_no_real_name_of_a_customer_is_refused(name: str) -> None:
    """S29: Indic and Persian names need joiners, emoji their selectors, and what was copied brings marks along."""
    assert faults(customer={"name": name, "phone": "1"}) == set()


@pytest.mark.parametrize("name", ["علی\u200cرضا", "क्\u200dष", "李\u3000娜"])
def test_one_of_us_may_have_a_joiner_in_their_name(name: str) -> None:
    """S29."""
    assert read("note", {"text": "x", "by": name}).by == name


@hidden
def test_unusable_contact_details_do_not_count(char: str) -> None:
    """S29, G1: a phone of blanks is none."""
    assert faults(customer={"name": "Li", "phone": char}) == {"customer.phone"}
    assert faults(customer={"name": "Li", "email": f"{char}@{char}"}) == {"customer.email"}
    assert faults(description=char) == {"description"}


def test_marks_that_a_telephone_copies_along_are_taken_out() -> None:
    complaint = check_complaint(a_complaint(customer={"name": "Li", "phone": "\u202a+86 138\u202c"}), START)

    assert complaint.customer.phone == "+86 138"


OTHER_SPELLINGS = ["li.na", "LI.NA", "ｌｉ．ｎａ", "li.n\u200ca", "li.na\ufe0f", "li.na\u3000", "LI.n\u200dA"]


@pytest.mark.parametrize("by", OTHER_SPELLINGS)
def test_same_person_in_another_spelling_is_the_same_person(by: str) -> None:
    """S20, S29: the one who asks never approves."""
    world = open_case()
    world.says("propose", options=[{"key": "own", "remedies": [{"kind": "gift"}]}], by="li.na")

    assert "prepared offer o1: another person has to decide" in world.refuses("approve", by=by)


@pytest.mark.parametrize("char", [c for c in HIDDEN.values() if c not in "\u200c\u200d\ufe0f\U000e0100"])
def test_invisible_characters_do_not_make_another_person(char: str) -> None:
    """S20, S29."""
    world = open_case()
    world.says("propose", options=[{"key": "own", "remedies": [{"kind": "gift"}]}], by="li.na")

    assert "by: " in world.refuses("approve", by=f"li{char}.na")


@pytest.mark.parametrize(
    ("text", "seen"), [("a", True), ("7", True), ("界", True), ("\u0301", False), ("-", False), ("", False)]
)
def test_what_can_be_read(text: str, seen: bool) -> None:
    assert readable(text) is seen


def test_what_was_recorded_before_is_still_read() -> None:
    """S29: a rule that is new refuses no case that is open."""
    raw = a_complaint(
        order={"order_id": "SO-1\u200b", "amount": "1000.50", "currency": "KWD"}, customer={"name": "\u200b"}
    )

    assert Complaint.model_validate(raw).order is not None
    for name, model in MESSAGES.items():
        assert model.model_validate({**VALID[name], "by": "li\u200b"}).by == "li\u200b"
    assert read("note", {"text": "x", "by": "li\u200b"}, holds=lambda _: False).by == "li\u200b"
