"""Whatever a file holds, or somebody types: an exit code and a sentence, no traceback, no orders to the terminal."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.inbox.messages import MESSAGES
from settings import ROOT
from tests.cases.world import a_complaint
from tests.e2e.driving import Result, Starter
from tests.garbage import NASTY, WHOLE, examples, spoilt, written

COMPLAINT = a_complaint(evidence=[{"kind": "photo", "uri": "s3://p"}])
PLANNED = {
    "complaint": COMPLAINT,
    "finding": {"severity": "severe", "hours_late": 1.5},
    "now": "2026-11-22T09:00:00+08:00",
}
LINES = st.lists(written(spoilt(COMPLAINT)) | st.binary(max_size=30), max_size=4).map(b"\n".join)
FILES = LINES | LINES.map(lambda lines: b"[" + lines.replace(b"\n", b",") + b"]") | st.binary(max_size=200)
PLANS = st.lists(written(spoilt(PLANNED)) | st.binary(max_size=30), max_size=4).map(b"\n".join)
ARGUMENT = (
    st.sampled_from([text for text in NASTY if len(text) < 1_000 and "\0" not in text])
    | st.text(st.characters(exclude_characters="\0", exclude_categories=()), max_size=12)
    | st.sampled_from(["photo=s3://p", "[]", "{}", "[[", "1", "-1", "li", "refund", "2026-11-22T09:00:00+08:00"])
)
"""What a shell can hand over: no NUL; and what is no UTF-8 as Python reads it."""
POLICY = (ROOT / "policies" / "building_materials.yaml").read_text(encoding="utf-8").splitlines()
STRAY = [
    "\t",
    "\x00",
    "&a",
    "*a",
    "<<: *a",
    "!!python/object:os.system",
    "- [",
    "? : :",
    "%YAML 9.9",
    "...",
    "---",
    "'",
    '"\\ud800"',
]
ORDERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What would move the cursor, or turn the line around."""


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A message for a case, with fields that it has, and values that it may not like."""
    name = draw(st.sampled_from(sorted(MESSAGES)))
    line = [name, draw(st.sampled_from(["HL-1", "-", "--help"]) | ARGUMENT)]
    for field in draw(st.lists(st.sampled_from([*MESSAGES[name].model_fields, "payload", "json", "oops"]), max_size=4)):
        line += [f"--{field.replace('_', '-')}", *([draw(ARGUMENT)] if field != "json" else [])]
    if draw(st.booleans()):
        line += ["--payload", draw(written(spoilt(WHOLE[name]))).decode(errors="replace").replace("\0", "")]
    return line


@st.composite
def policy_texts(draw: st.DrawFn) -> bytes:
    """A policy with nothing to three lines changed."""
    lines = list(POLICY)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "twice", "value", "stray", "indent"])):
            case "drop":
                del lines[at]
            case "twice":
                lines.insert(at, lines[at])
            case "value":
                value = draw(st.sampled_from([t for t in NASTY if len(t) < 1_000]) | st.from_type(float).map(str))
                lines[at] = f"{lines[at].partition(':')[0]}: {value}"
            case "stray":
                lines[at] += draw(st.sampled_from(STRAY))
            case "indent":
                lines[at] = " " + lines[at]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def is_told(result: Result, *codes: int) -> None:
    assert result.code in codes
    said = result.out + result.err
    assert "Traceback" not in said
    assert result.code == 0 or said.strip()


def is_quiet(result: Result) -> None:
    """What somebody else wrote gives the terminal no orders; what a person types there is theirs."""
    assert not ORDERS.search(result.out + result.err)


def reads(starter: Starter, verb: str, folder: Path, content: bytes) -> Result:
    """What a verb makes of a file, or of standard input; one line of business is loaded faster than all."""
    given = folder / "given.json"
    given.write_bytes(content)
    by_file = len(content) % 2
    return starter(verb, given if by_file else "-", stdin=b"" if by_file else content, AFTER_SALES_POLICIES=str(folder))


def opens(starter: Starter, folder: Path, content: bytes) -> None:
    result = reads(starter, "open", folder, content)
    is_told(result, 0, 1, 2)
    is_quiet(result)


def plans(starter: Starter, folder: Path, content: bytes) -> None:
    result = reads(starter, "plan", folder, content)
    is_told(result, 0, 2)
    is_quiet(result)
    for line in result.out.splitlines():
        assert isinstance(json.loads(line), dict)


def checks(starter: Starter, folder: Path, content: bytes) -> None:
    (folder / "changed.yaml").write_bytes(content)
    result = starter("policy", "check", folder / "changed.yaml")
    is_told(result, 0, 2)
    is_quiet(result)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One policy, and what all lines share."""
    for name in ("every_line.yaml", "building_materials.yaml"):
        (tmp_path / name).write_bytes((ROOT / "policies" / name).read_bytes())
    return tmp_path


@examples(8)
@given(content=FILES)
def test_every_file_is_opened_or_told(starter: Starter, folder: Path, content: bytes) -> None:
    opens(starter, folder, content)


@pytest.mark.parametrize(
    "line", [["show", "\udcff"], ["note", "HL-1", "--text", "\udcff" * 5_000], ["list", "\ud800"]], ids=range(3)
)
def test_bytes_that_are_no_text_are_told_by_their_place(starter: Starter, line: list[str]) -> None:
    """As Python reads what a shell hands over; Temporal's client would raise what no verb expects."""
    result = starter(*line)

    assert (result.code, result.err) == (2, f"Error: argument {len(line)} is not text in UTF-8\n")


def test_file_may_be_called_as_it_likes(starter: Starter, folder: Path) -> None:
    path = folder / "\udcff.json"
    path.write_bytes(b"{}")

    assert starter("plan", path, AFTER_SALES_POLICIES=str(folder)).code == 2


@pytest.mark.parametrize("verb", ["open", "plan"])
def test_what_a_complaint_says_of_itself_forges_no_line(starter: Starter, folder: Path, verb: str) -> None:
    """A case id with a line end, or with orders to the terminal, is told as one word."""
    spoilt_id = {"case_id": "HL-1 opened\nHL-2\x1b[2J\u202e", "oops\x9b2J": 1}

    result = reads(starter, verb, folder, json.dumps(spoilt_id).encode())

    is_quiet(result)
    assert len(result.out.splitlines()) == 1


@examples(10)
@given(content=PLANS)
def test_every_file_is_planned_or_told(starter: Starter, folder: Path, content: bytes) -> None:
    plans(starter, folder, content)


@examples(15)
@given(content=policy_texts() | st.binary(max_size=100))
def test_every_policy_is_all_right_or_told(starter: Starter, folder: Path, content: bytes) -> None:
    checks(starter, folder, content)


@examples(30)
@given(line=command_lines())
def test_every_command_line_is_carried_out_or_told(starter: Starter, line: list[str]) -> None:
    is_told(starter(*line), 0, 1, 2)
