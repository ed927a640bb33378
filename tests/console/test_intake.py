"""A file of complaints is read as far as possible, and every fault is reported with its line."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.contract import MAX_INPUT_BYTES
from cases.errors import InvalidInput
from cases.input.decoding import check_size
from client.intake import complaints_in, values


def read(text: str) -> list[tuple[str, Any]]:
    """Return each value with its line, or the reason why it is not a value."""
    return [(found.where, str(found.fault) if found.fault else found.value) for found in values("f", text.encode())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', [("f:1", {"a": 1})]),
        ('\ufeff{\n "a": 1\n}\n', [("f:1", {"a": 1})]),
        ('{"a": 1}\n\n{"a": 2}\n', [("f:1", {"a": 1}), ("f:3", {"a": 2})]),
        ('[{"a": 1},\n {"a":\n 2},\n\n {"a": 3}]', [("f:1", {"a": 1}), ("f:2", {"a": 2}), ("f:5", {"a": 3})]),
        ("[]", []),
        ("", []),
        ("\ufeff \n\n", []),
        ('{"a": "one\u2028line"}\n{"a": 2}', [("f:1", {"a": "one\u2028line"}), ("f:2", {"a": 2})]),
    ],
)
def test_an_object_an_array_and_lines_give_the_same_values(text: str, expected: list[tuple[str, Any]]) -> None:
    assert read(text) == expected


BROKEN = "(whole): is not JSON: expecting property name enclosed in double quotes at column 2"
UNREAD = "nothing after it was read"
NO_END = f"(whole): is not JSON: no , or ] after it; {UNREAD}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[{"a": 1}]\n\n{"a": 2}',
            [("f:1", {"a": 1}), ("f:3", "(whole): is not JSON: there is text after the array's ]")],
        ),
        ('{\n "a": 1,\n "b"\n}', [("f:4", "(whole): is not JSON: expecting ':' delimiter at column 1")]),
        ('{broken\n{"a": 2}', [("f:1", BROKEN), ("f:2", {"a": 2})]),
        ('[{"a": 1},\n{broken}]', [("f:1", {"a": 1}), ("f:2", f"{BROKEN}; {UNREAD}")]),
        ('[{"a": 1}\n{"a": 2}]', [("f:1", {"a": 1}), ("f:1", NO_END)]),
        ('[{"a": 1}', [("f:1", {"a": 1}), ("f:1", NO_END)]),
    ],
)
def test_invalid_json_is_reported_with_its_line(text: str, expected: list[tuple[str, Any]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
def test_64_kib_are_accepted_and_one_byte_more_is_not(spare: int, fits: bool) -> None:
    text = "界" * 10 + "x" * (MAX_INPUT_BYTES - 30 - len('{"a":""}') - spare)
    assert len(json.dumps({"a": text}, ensure_ascii=False, separators=(",", ":")).encode()) == MAX_INPUT_BYTES - spare

    if fits:
        check_size({"a": text})
    else:
        with pytest.raises(InvalidInput, match=r"larger than 65536 bytes"):
            check_size({"a": text})


def test_string_with_lone_surrogates_is_refused_without_a_traceback() -> None:
    (found,) = complaints_in("f", b'{"case_id": "\\ud800"}', {}, datetime.now(UTC))

    assert found.fault is not None
    assert any(problem.field == "case_id" for problem in found.fault.problems)


def faults_of(content: str) -> list[str]:
    return [f"{found.name}: {found.fault}" for found in complaints_in("f", content.encode(), {}, datetime.now(UTC))]


@pytest.mark.parametrize("line", ["{broken", "7", '{"order": "SO-1"}', '{"case_id": 7}'])
def test_file_without_complaints_is_reported_by_two_entries_and_a_count(line: str) -> None:
    """Two entries are enough to recognise a wrong file."""
    *named, counted = faults_of(f"{line}\n" * 1_000 + "{}\n")

    assert [fault.partition(" ")[0] for fault in named] == ["f:1:", "f:2:"]
    assert counted == "f: (whole): has 999 more entries that are not complaints: each needs a case_id"


@pytest.mark.parametrize(("lines", "reported"), [(1, 1), (2, 2), (3, 3)])
def test_up_to_two_faulty_entries_are_each_reported(lines: int, reported: int) -> None:
    """Below the threshold and on it; the test above is beyond it."""
    assert len(faults_of("{broken\n" * lines)) == reported


def test_each_faulty_complaint_among_good_ones_is_named() -> None:
    """Contract, `open`: a faulty complaint is named and does not affect the others."""
    found = faults_of("{broken\n" * 3 + '{"case_id": "HL-1"}\n' * 4)

    assert sum("HL-1" in each for each in found) == 4
