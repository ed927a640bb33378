"""Input from strangers: arbitrary bytes, and valid messages with something wrong in them."""

import copy
import json
import re
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from cases.contract import MAX_INPUT_BYTES
from cases.inbox.messages import MESSAGES
from tests.profiles import scaled


def examples(few: int) -> settings:
    """Return the number of examples of the profile in force for `few` in the default one (tests/profiles.py)."""
    return settings(
        max_examples=scaled(few),
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
        phases=[Phase.explicit, Phase.generate],  # shrinking an example that hangs a server takes an hour
        database=None,
    )


NASTY = [
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "\udfff\ud800",
        "\u202edrow\u202c",
        "👩‍👩‍👧‍👦",
        "ﷺ" * 40,
        "e\u0301" * 50,
        "\ufeff",
    ),
    *(
        "\r\n",
        "\u2028",
        "NaN",
        "1e999",
        "-0",
        "0x10",
        "null",
        "true",
        "%s%n",
        "{{ 7*7 }}",
        "${jndi:x}",
        "<script>",
        "'; --",
    ),
    *("9999-12-31T23:59:59+00:00", "2026-11-18T09:00:00", "2026-02-30T09:00:00Z", "0001-01-01T00:00:00+23:59"),
    *("__proto__", "__class__", "case-HL-1", "x" * 300, "证" * 11_000, "x" * (MAX_INPUT_BYTES + 1)),
]
"""Text that has broken some program before."""
NUMBERS = [0, -1, 2**31, 2**63, -(2**64), 10**400, 0.1, 1e308, -1e-308, float("nan"), float("inf"), float("-inf")]

LEAVES = (
    st.none()
    | st.booleans()
    | st.sampled_from(NUMBERS)
    | st.integers()
    | st.floats()
    | st.sampled_from(NASTY)
    | st.text(st.characters(exclude_categories=()), max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


WHOLE: dict[str, dict[str, Any]] = {
    "contact-made": {"note": "called"},
    "evidence-received": {"evidence": [{"kind": "photo", "uri": "s3://p"}, {"kind": "document", "uri": "s3://d"}]},
    "customer-approved": {"offer": "o1", "option": "replace"},
    "customer-declined": {"offer": "o1", "reason": "no", "wish": "refund"},
    "step-reported": {
        "step": "replacement",
        "key": "HL-1/1/o1/replacement",
        "state": "done",
        "detail": "left at the door",
        "finding": {"severity": "minor", "days_late": 2, "lost": False, "liable": "delivery", "cause": "rain"},
    },
    "satisfaction-reported": {"score": 2, "comment": "slow"},
    "complaint-withdrawn": {"reason": "found it"},
    "mark-urgent": {"reason": "a child has eaten of it"},
    "move-policy": {"reason": "new terms", "version": "2026-11+41f9020a"},
    "assess": {
        "severity": "severe",
        "days_late": 3,
        "hours_late": 71.5,
        "lost": False,
        "upheld": True,
        "liable": "warehouse",
        "cause": "crushed",
        "sealed": True,
        "goods_value": "3125.00",
        "affected": [{"sku": "SLATE-9", "quantity": 1}],
        "note": "looked at it",
    },
    "propose": {
        "options": [
            {"key": "own", "remedies": [{"kind": "compensation", "amount": "10.00", "max_amount": "20.00"}]},
            {"key": "new", "remedies": [{"kind": "replacement", "items": [{"sku": "SLATE-9", "quantity": 1}]}]},
        ],
        "note": "agreed on the phone",
    },
    "approve": {"approval": "o2", "note": "fine"},
    "reject": {"approval": "o2", "note": "too much"},
    "declare-complex": {"reason": "big", "plan": "on Monday"},
    "resolve-step": {"step": "replacement", "action": "retry", "reason": "again", "dependents": "waive"},
    "assign": {"team": "quality", "owner": "li"},
    "acknowledge-escalation": {"promise": "detailed_result"},
    "note": {"text": "remark"},
}
"""Each message with all its fields except `message_id`: a second message with the same id would be ignored."""
for _message in WHOLE.values():
    _message.update(by="li", occurred_at="2026-11-18T09:00:00+08:00")


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, part in inner for path in _paths(part, (*at, key)))]


@st.composite
def spoilt(draw: st.DrawFn, example: dict[str, Any]) -> Any:
    """Return the example with up to three changes: a field dropped, renamed, added, or of another type."""
    made: Any = copy.deepcopy(example)
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        *outer, last = draw(st.sampled_from(_paths(made)[1:] or [()])) or [None]
        part = made
        for key in outer:
            part = part[key]
        if last is None or not isinstance(part, dict | list):
            return draw(VALUES)
        match draw(st.sampled_from(["drop", "replace", "replace", "wrap", "add"])):
            case "drop":
                del part[last]
            case "wrap":
                part[last] = [part[last]]
            case "add" if isinstance(part, dict):
                part[draw(st.sampled_from(NASTY) | st.text(max_size=5))] = draw(VALUES)
            case _:
                part[last] = draw(VALUES)
    return made


@st.composite
def written(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    """Return a value as JSON, mostly valid; or with a duplicate key, cut off, with a suffix, in another encoding."""
    value = draw(values)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    match draw(st.sampled_from([*["as it is"] * 6, "twice", "cut", "more", "mark", "wide", "deep"])):
        case "twice" if isinstance(value, dict) and value:
            key = draw(st.sampled_from(sorted(value)))
            text = f"{text[:-1]}, {json.dumps(key)}: {json.dumps(draw(VALUES))}}}"
        case "cut":
            text = text[: draw(st.integers(0, len(text)))]
        case "more":
            text += draw(st.sampled_from(["}", " {}", "\x00", "garbage", "," + text]))
        case "mark":
            text = "\ufeff" + text
        case "wide":
            return text.encode("utf-16", "surrogatepass")
        case "deep":
            depth = draw(st.sampled_from([50, 120, 190, 250, 1_000, 10_000]))
            text = draw(st.sampled_from(['{"note": %s}', "%s"])) % ("[" * depth + text + "]" * depth)
    return text.encode("utf-8", "surrogatepass")


def in_json(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Payload]:
    """Payloads of a client that writes JSON."""
    return st.builds(lambda data: Payload(metadata={"encoding": b"json/plain"}, data=data), written(values))


def _odd(encoding: bytes, data: bytes, more: dict[str, bytes]) -> Payload:
    return Payload(metadata={"encoding": encoding, **more}, data=data)


ENCODINGS = [
    *(b"json/plain", b"binary/null", b"binary/plain", b"binary/encrypted", b"json/protobuf", b"binary/protobuf"),
    *(b"", b"\xff\xfe", b"of/mars", b"JSON/PLAIN", b"json/external-storage-reference"),
]
METADATA = st.dictionaries(
    st.sampled_from(["messageType", "type", "key", "version", "namespace", "workflow", "x", ""]),
    st.sampled_from([b"", b"1", b"google.protobuf.Struct", b"temporal.api.common.v1.Payload", b"\xff", b"default"])
    | st.binary(max_size=20),
    max_size=4,
)
ODD = st.builds(_odd, st.sampled_from(ENCODINGS), st.binary(max_size=50) | written(VALUES), METADATA) | st.builds(
    Payload, data=st.binary(max_size=20)
)
"""Payloads of an unknown kind of client."""
LARGE = st.builds(
    lambda size, letter: Payload(
        metadata={"encoding": b"json/plain"}, data=b'{"note": "' + letter * (size // len(letter)) + b'"}'
    ),
    st.sampled_from([MAX_INPUT_BYTES - 12, MAX_INPUT_BYTES - 11, MAX_INPUT_BYTES + 1, 1_900_000, 2_200_000]),
    st.sampled_from([b"x", b"\xe8\xaf\x81", b"\xff"]),
)


def payloads(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Payload]]:
    """Inputs of a start, a message or a query: mostly one payload."""
    one = st.one_of(*[in_json(values)] * 6, ODD, ODD, LARGE)
    return st.one_of(*[one.map(lambda payload: [payload])] * 6, st.lists(one, max_size=3))


NAMES = st.sampled_from(sorted(MESSAGES)) | st.sampled_from(
    ["", "case", "explode", "contact-made ", "CONTACT-MADE", "__temporal_x", "__stack_trace", "complaint-linked",
     "case-closed", "claim-settled", "证", "\u202e", "n" * 1_000, "n" * 1_001, "contact-made\x00"]
)  # fmt: skip
"""Names of messages; most are known."""

_FOREIGN = re.compile(
    r"Traceback|File \"|<class|<function| object at 0x|\b(pydantic|cases|workflows|temporalio)\.|[\x00-\x1f]"
)
"""What an error message must not contain."""


def is_clean(sentence: str) -> bool:
    """Return whether a text can be shown to anybody: one line, printable, and valid UTF-8."""
    return len(sentence.split()) > 2 and not _FOREIGN.search(sentence) and bool(sentence.encode())
