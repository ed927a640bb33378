"""One decoder, one judgement: the same text means the same in a file, in an argument and in a payload."""

import json
import re
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from cases.complaint import Complaint
from cases.contract import MAX_INPUT_BYTES
from cases.errors import InvalidInput, Refusal
from cases.inbox.messages import read
from cases.input.decoding import MAX_DEPTH, check_size, decode
from client.intake import values
from tests.cases.lines import plan_line
from tests.cases.world import START, a_complaint, in_force
from tests.complaints import check_complaint
from workflows.sdk.handlers import Unreadable, decoded

NESTED = '{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}"
REFUSED = [
    pytest.param('{"a": 1, "a": 2}', "a: is given twice", id="a key twice"),
    pytest.param('{"a": [{"b": 1, "b": 1}]}', "a.0.b: is given twice", id="a key twice, within"),
    pytest.param('{"a": NaN}', "a: NaN is no JSON number", id="NaN"),
    pytest.param('{"a": -Infinity}', "a: -Infinity is no JSON number", id="infinity"),
    pytest.param('{"a": 1e999}', "a: is a number out of all reason", id="a large exponent"),
    pytest.param('{"a": %s}' % ("9" * 31), "a: is a number out of all reason", id="31 digits"),
    pytest.param('{"a": %s}' % ("9" * 5_000), "a: is a number out of all reason", id="5,000 digits"),
    pytest.param('{"a": "\\ud800"}', "a: holds half a character (a lone surrogate)", id="half a character"),
    pytest.param('{"\\udc00": 1}', "(whole): has a key with half a character (a lone surrogate)", id="half a key"),
    pytest.param(NESTED, "nested too deeply", id="nested"),
    pytest.param('{"a": ' + "[" * 100_000, "nested too deeply", id="nested without end"),
    pytest.param("{'a': 1}", "is not JSON", id="single quotes"),
    pytest.param("", "is not JSON", id="nothing"),
    pytest.param('{"a": 1} x', "is not JSON", id="more"),
]
TAKEN = [
    pytest.param('\ufeff{"a": 1}', {"a": 1}, id="byte order mark"),
    pytest.param('{"a": 1.5}', {"a": 1.5}, id="float"),
    pytest.param('{"a": "\\ud83d\\ude00"}', {"a": "😀"}, id="a whole character in two halves"),
    pytest.param('{"a": %s}' % ("9" * 30), {"a": int("9" * 30)}, id="30 digits"),
    pytest.param("[]", [], id="list"),
    pytest.param("null", None, id="null"),
]


QUOTED = [
    pytest.param("assess", {"lost": "yes"}, "lost: must be true or false", id="yes"),
    pytest.param("assess", {"upheld": 1}, "upheld: must be true or false", id="1"),
    pytest.param("assess", {"sealed": "true"}, "sealed: must be true or false", id="true in quotes"),
    pytest.param("assess", {"days_late": "3"}, "days_late: must be a number, without quotes", id="whole in quotes"),
    pytest.param("assess", {"hours_late": "1.5"}, "hours_late: must be a number, without quotes", id="in quotes"),
    pytest.param("satisfaction-reported", {"score": "5"}, "score: must be a number, without quotes", id="score"),
    pytest.param(
        "step-reported",
        {"step": "inspection", "state": "done", "finding": {"upheld": "no"}},
        "finding.upheld: must be true or false",
        id="within",
    ),
    pytest.param(
        "propose",
        {"options": [{"key": "a", "remedies": [{"kind": "apology", "at_once": "on"}]}]},
        "options.0.remedies.0.at_once: must be true or false",
        id="in a list",
    ),
]


@pytest.mark.parametrize(("name", "payload", "why"), QUOTED)
def test_a_truth_value_and_a_number_are_json_s_own(name: str, payload: dict[str, Any], why: str) -> None:
    """Contract: `"yes"` is text. A case that took it once still replays."""
    with pytest.raises(Refusal, match=re.escape(why)):
        read(name, payload)

    read(name, payload, holds=lambda _rule: False)


def test_a_complaint_s_urgency_is_true_or_false() -> None:
    """Contract: by its field; what was admitted once is still read."""
    raw = a_complaint(urgent="yes", affected=[{"sku": "SLATE-9", "quantity": "1"}])

    with pytest.raises(InvalidInput) as refused:
        check_complaint(raw, START)

    assert {str(problem) for problem in refused.value.problems} == {
        "urgent: must be true or false",
        "affected.0.quantity: must be a number, without quotes",
    }
    assert Complaint.model_validate(raw).urgent


def test_a_whole_number_may_have_a_point_and_true_is_no_number() -> None:
    """Contract: 5.0 is a whole number in JSON Schema."""
    assert read("satisfaction-reported", {"score": 5.0}).model_dump()["score"] == 5
    for payload in ({"days_late": True}, {"hours_late": True}):
        with pytest.raises(Refusal, match="must be a number, not true or false"):
            read("assess", payload)


def by_payload(text: str) -> Any:
    return decoded(RawValue(Payload(metadata={"encoding": b"json/plain"}, data=text.encode())))


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_two_readers_could_read_in_two_ways_is_refused_by_its_field(text: str, why: str) -> None:
    """Contract: as an argument, and as the payload of a start, a signal or an update."""
    with pytest.raises(InvalidInput) as refused:
        decode(text)
    with pytest.raises(Unreadable) as unread:
        by_payload(text)

    assert why in str(refused.value)
    assert why in "; ".join(map(str, unread.value.problems))
    assert isinstance(unread.value, Refusal)


@pytest.mark.parametrize(("text", "value"), TAKEN)
def test_what_is_taken_is_the_same_everywhere(text: str, value: Any) -> None:
    """Contract."""
    assert decode(text) == decode(text.encode()) == by_payload(text) == value


@pytest.mark.parametrize(("text", "why"), REFUSED[:8])
def test_a_file_is_read_by_the_same_decoder(text: str, why: str) -> None:
    """Contract: and what is wrong with one line stops no other."""
    first, second = values("f", f'{text}\n{{"b": 1}}\n'.encode())

    assert why in str(first.fault)
    assert (second.fault, second.value) == (None, {"b": 1})


def test_bytes_that_are_no_text_are_no_json() -> None:
    with pytest.raises(InvalidInput, match="is not text in UTF-8"):
        decode(b'{"a": "\xff"}')


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH])
def test_32_levels_are_taken_and_not_one_more(depth: int) -> None:
    """Both sides."""
    text = '{"a": ' + "[" * depth + "]" * depth + "}"

    if depth < MAX_DEPTH:
        assert decode(text)
    else:
        with pytest.raises(InvalidInput, match="nested too deeply"):
            decode(text)


@pytest.mark.parametrize("spaces", [0, 10_000])
@pytest.mark.parametrize(("letters", "fits"), [(MAX_INPUT_BYTES - 8, True), (MAX_INPUT_BYTES - 7, False)])
def test_size_is_that_of_the_value_and_not_of_how_a_client_writes_it(letters: int, fits: bool, spaces: int) -> None:
    """Contract: 64 KiB without blanks, in UTF-8; a client that escapes every character is not at a disadvantage."""
    value = {"a": "证" + "x" * (letters - 3)}
    text = json.dumps(value) + " " * spaces

    if fits:
        assert by_payload(text) == value
        check_size(value)
    else:
        with pytest.raises(Unreadable, match="larger than 65536 bytes"):
            by_payload(text)


@pytest.mark.parametrize(("amount", "fine"), [("640.5", False), ("640.00", False), ("640", True), ('"640.00"', True)])
def test_an_amount_as_a_number_with_a_point_is_refused_whichever_way_it_comes(amount: str, fine: bool) -> None:
    """Contract: money is a decimal string; a whole number is exact in every language, and taken."""
    text = json.dumps(a_complaint(order={"amount": "@", "freight": "0.00", "items": []}, affected=None)).replace(
        '"@"', amount
    )

    answer = plan_line(f'{{"complaint": {text}}}', in_force(), START)

    if fine:
        assert "errors" not in answer
    else:
        assert answer["errors"] == [{"field": "order.amount", "problem": 'must be a decimal string such as "640.00"'}]


def test_a_history_that_is_older_than_the_rule_replays_as_it_was() -> None:
    payload = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"a": 1, "a": 2}'))

    assert decoded(payload, lambda _: False) == {"a": 2}
