"""Any file and any command line gets an exit code and a sentence: no traceback, no control characters."""

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
"""What a shell can pass: no NUL; bytes that are not UTF-8 as Python reads them."""
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
"""Characters that move the cursor or reverse the line."""


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A message for a case, with known fields and arbitrary values."""
    name = draw(st.sampled_from(sorted(MESSAGES)))
    line = [name, draw(st.sampled_from(["HL-1", "-", "--help"]) | ARGUMENT)]
    for field in draw(st.lists(st.sampled_from([*MESSAGES[name].model_fields, "payload", "json", "oops"]), max_size=4)):
        line += [f"--{field.replace('_', '-')}", *([draw(ARGUMENT)] if field != "json" else [])]
    if draw(st.booleans()):
        line += ["--payload", draw(written(spoilt(WHOLE[name]))).decode(errors="replace").replace("\0", "")]
    return line


@st.composite
def policy_texts(draw: st.DrawFn) -> bytes:
    """A policy with up to three lines changed."""
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


def ends_cleanly(result: Result, *codes: int) -> None:
    assert result.code in codes
    said = result.out + result.err
    assert "Traceback" not in said
    assert result.code == 0 or said.strip()


def has_no_control_characters(result: Result) -> None:
    """Text from a file must not control the terminal. (What a person types there may.)"""
    assert not ORDERS.search(result.out + result.err)


def reads(starter: Starter, verb: str, folder: Path, content: bytes) -> Result:
    """Run a verb on a file or on standard input; with one line of business, which loads faster."""
    given = folder / "given.json"
    given.write_bytes(content)
    by_file = len(content) % 2
    return starter(verb, given if by_file else "-", stdin=b"" if by_file else content, AFTER_SALES_POLICIES=str(folder))


def opens(starter: Starter, folder: Path, content: bytes) -> None:
    result = reads(starter, "open", folder, content)
    ends_cleanly(result, 0, 1, 2)
    has_no_control_characters(result)


def plans(starter: Starter, folder: Path, content: bytes) -> None:
    result = reads(starter, "plan", folder, content)
    ends_cleanly(result, 0, 2)
    has_no_control_characters(result)
    for line in result.out.splitlines():
        assert isinstance(json.loads(line), dict)


def checks(starter: Starter, folder: Path, content: bytes) -> None:
    (folder / "changed.yaml").write_bytes(content)
    result = starter("policy", "check", folder / "changed.yaml")
    ends_cleanly(result, 0, 2)
    has_no_control_characters(result)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one policy and the shared rules."""
    for name in ("every_line.yaml", "building_materials.yaml"):
        (tmp_path / name).write_bytes((ROOT / "policies" / name).read_bytes())
    return tmp_path


@examples(8)
@given(content=FILES)
def test_every_file_of_complaints_ends_cleanly(starter: Starter, folder: Path, content: bytes) -> None:
    opens(starter, folder, content)


@pytest.mark.parametrize(
    "line", [["show", "\udcff"], ["note", "HL-1", "--text", "\udcff" * 5_000], ["list", "\ud800"]], ids=range(3)
)
def test_bytes_that_are_no_text_are_reported_with_their_place(starter: Starter, line: list[str]) -> None:
    """As Python reads what a shell passes; Temporal's client would raise an unexpected error."""
    result = starter(*line)

    assert (result.code, result.err) == (2, f"Error: argument {len(line)} is not text in UTF-8\n")


def test_file_may_have_any_name(starter: Starter, folder: Path) -> None:
    path = folder / "\udcff.json"
    path.write_bytes(b"{}")

    assert starter("plan", path, AFTER_SALES_POLICIES=str(folder)).code == 2


@pytest.mark.parametrize("verb", ["open", "plan"])
def test_text_of_a_complaint_forges_no_output_line(starter: Starter, folder: Path, verb: str) -> None:
    """A case id with a line end or control characters is printed as one word."""
    spoilt_id = {"case_id": "HL-1 opened\nHL-2\x1b[2J\u202e", "oops\x9b2J": 1}

    result = reads(starter, verb, folder, json.dumps(spoilt_id).encode())

    has_no_control_characters(result)
    assert len(result.out.splitlines()) == 1


@examples(10)
@given(content=PLANS)
def test_every_file_of_plans_ends_cleanly(starter: Starter, folder: Path, content: bytes) -> None:
    plans(starter, folder, content)


@examples(15)
@given(content=policy_texts() | st.binary(max_size=100))
def test_every_policy_check_ends_cleanly(starter: Starter, folder: Path, content: bytes) -> None:
    checks(starter, folder, content)


@examples(30)
@given(line=command_lines())
def test_every_command_line_ends_cleanly(starter: Starter, line: list[str]) -> None:
    ends_cleanly(starter(*line), 0, 1, 2)
