"""A file of complaints is read as far as it can be, and every fault is told with the line it is on."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.contract import MAX_INPUT_BYTES
from cases.errors import InvalidInput
from cases.input.decoding import check_size
from client.intake import complaints_in, values


def read(text: str) -> list[tuple[str, Any]]:
    """Where each value begins, and the value, or the sentence why there is none."""
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
def test_an_object_an_array_and_lines_are_read_alike(text: str, expected: list[tuple[str, Any]]) -> None:
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
def test_what_is_not_json_is_told_with_its_line(text: str, expected: list[tuple[str, Any]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
def test_64_kib_are_taken_in_and_not_one_byte_more(spare: int, fits: bool) -> None:
    text = "界" * 10 + "x" * (MAX_INPUT_BYTES - 30 - len('{"a":""}') - spare)
    assert len(json.dumps({"a": text}, ensure_ascii=False, separators=(",", ":")).encode()) == MAX_INPUT_BYTES - spare

    if fits:
        check_size({"a": text})
    else:
        with pytest.raises(InvalidInput, match=r"larger than 65536 bytes"):
            check_size({"a": text})


def test_a_string_that_is_no_text_is_refused_and_not_tripped_over() -> None:
    (found,) = complaints_in("f", b'{"case_id": "\\ud800"}', {}, datetime.now(UTC))

    assert found.fault is not None
    assert any(problem.field == "case_id" for problem in found.fault.problems)


def told(content: str) -> list[str]:
    return [f"{found.name}: {found.fault}" for found in complaints_in("f", content.encode(), {}, datetime.now(UTC))]


@pytest.mark.parametrize("line", ["{broken", "7", '{"order": "SO-1"}', '{"case_id": 7}'])
def test_of_a_file_that_holds_no_complaints_two_entries_are_named_and_the_rest_is_counted(line: str) -> None:
    """A wrong file is recognised by two of its lines."""
    *named, counted = told(f"{line}\n" * 1_000 + "{}\n")

    assert [fault.partition(" ")[0] for fault in named] == ["f:1:", "f:2:"]
    assert counted == "f: (whole): has 999 more entries that are not complaints: each needs a case_id"


@pytest.mark.parametrize(("lines", "told_of"), [(1, 1), (2, 2), (3, 3)])
def test_two_entries_that_are_no_complaints_are_no_reason_to_count(lines: int, told_of: int) -> None:
    """Both sides."""
    assert len(told("{broken\n" * lines + "{}\n" * 0)) == told_of


def test_every_faulty_complaint_is_named_whatever_stands_around_it() -> None:
    """Contract, `open`: a bad complaint is named and stops no other."""
    found = told("{broken\n" * 3 + '{"case_id": "HL-1"}\n' * 4)

    assert sum("HL-1" in each for each in found) == 4
