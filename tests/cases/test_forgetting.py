"""G13: what is left of a record names no customer, and has every figure."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cases.forgetting import (
    KEPT,
    LISTS_REMOVED,
    MASKED,
    OPTIONAL,
    REMOVED,
    Person,
    evidence_of,
    forgotten,
    identifying,
    masked,
    same_phone,
)
from cases.views.snapshot import Snapshot
from docs.schemas import schema
from tests.cases.world import open_case, snapshot

Json = dict[str, Any]
NAME, PHONE, EMAIL, ADDRESS = "王丽", "+8613800000001", "wang.li@example.com", "1 Example Road, Foshan"
CUSTOMER = {"name": NAME, "phone": PHONE, "email": EMAIL, "locale": "zh-CN"}
PRIVATE = (NAME, "13800000001", "wang.li", "Example Road", "cracked", "s3://photos", "TRACK-1", "slow", "in hospital")


def record() -> Json:
    """The snapshot of a case that has gone through much, full of what identifies its customer."""
    world = open_case(
        customer=CUSTOMER,
        description="my slab is cracked",
        evidence=[{"kind": "photo", "uri": "s3://photos/1"}],
        order={"tracking_no": "TRACK-1", "carrier": "Swift", "install_address": ADDRESS},
    )
    world.says("note", text=f"{NAME} is in hospital, call {PHONE}", by="li.na")
    world.says("assess", severity="severe", cause=f"dropped by Swift at {ADDRESS}, says {NAME}", by="li.na")
    world.says("customer-approved", by=NAME)
    world.says("satisfaction-reported", score=4, comment="slow, but fine")
    return json.loads(json.dumps(snapshot(world.case)))  # type: ignore[no-any-return]


def test_nothing_that_identifies_the_customer_is_left() -> None:
    """G13."""
    before = record()
    assert all(any(text in each for each in texts(before)) for text in PRIVATE)

    left = json.dumps(forgotten(before), ensure_ascii=False)

    assert [text for text in PRIVATE if text in left] == []


def test_every_figure_is_left() -> None:
    """G13: times, promises, offers, steps, money, scores, ids; who is to blame, and the cause without the customer."""
    before = record()

    after = forgotten(before)

    for name in ("case_id", "order_id", "outcome", "opened_at", "closed_at", "promises", "steps", "paid", "cycle"):
        assert after[name] == before[name]
    assert [offer["options"] for offer in after["offers"]] == [offer["options"] for offer in before["offers"]]
    assert [score["score"] for score in after["satisfaction"]] == [4]
    assert after["finding"]["severity"] == "severe"
    assert after["finding"]["cause"] == "dropped by Swift at …, says …"
    assert [(e["at"], e["what"]) for e in after["timeline"]] == [(e["at"], e["what"]) for e in before["timeline"]]
    assert after["complaint"]["order"]["carrier"] == "Swift"
    assert Snapshot.model_validate(after).status == "closed"


def test_forgetting_twice_changes_nothing() -> None:
    once = forgotten(record())

    assert forgotten(once) == once
    assert identifying(once) == []


def test_a_field_that_is_not_known_is_emptied() -> None:
    """A newer build may add one that is personal."""
    left = forgotten(
        {"case_id": "HL-1", "nickname": NAME, "complaint": {"customer": CUSTOMER, "mood": {"word": "sad"}}}
    )

    assert left["nickname"] == left["complaint"]["mood"]["word"] == ""


def test_every_text_of_the_snapshot_is_either_kept_masked_or_removed() -> None:
    """Whoever adds a field to the snapshot decides about it here."""
    known = KEPT | MASKED | REMOVED | OPTIONAL
    of_needs = {"fields.name", "fields.type", "fields.values", "instead.example", "instead.message"}
    fields = {field for field in text_fields(schema("snapshot")) if field.split(".")[0] not in LISTS_REMOVED} - of_needs

    assert fields == known
    assert len(known) == sum(map(len, (KEPT, MASKED, REMOVED, OPTIONAL)))


def test_where_evidence_is_stored_is_known_before() -> None:
    assert evidence_of(record()) == ["s3://photos/1"]
    assert evidence_of(forgotten(record())) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("138 0000 0001", "13800000001", True),
        ("+86 138-0000-0001", "13800000001", True),
        ("0086 13800000001", "+8613800000001", True),
        ("+44 20 7946 0958", "020 7946 0958", True),
        ("１３８０００００００１", "13800000001", True),
        ("13800000001", "13800000002", False),
        ("13812345678", "12345678", False),
        ("+8613812345678", "12345678", False),
        ("13800000001", "", False),
        ("0001", "0001", False),
    ],
)
def test_phone_numbers_are_compared_as_a_whole(one: str, other: str, same: bool) -> None:
    """G13: somebody else's number may end with the same digits."""
    assert same_phone(one, other) is same
    assert same_phone(other, one) is same


def test_person_is_known_by_phone_or_email() -> None:
    assert Person(phone="13800000001").is_customer(CUSTOMER)
    assert Person(email="WANG.LI@example.com ").is_customer(CUSTOMER)
    assert Person("13800000009", EMAIL).is_customer(CUSTOMER)
    assert not Person(phone="13800000009").is_customer(CUSTOMER)
    assert not Person(email="li@example.com").is_customer({**CUSTOMER, "email": None})
    assert not Person(email="li@example.com").is_customer(None)


def test_short_name_is_masked_only_where_it_stands_alone() -> None:
    """One character occurs in other words."""
    assert masked("李", ["李"]) == "…"
    assert masked("行李破损", ["李"]) == "行李破损"


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(each)


def text_fields(described: Json) -> Iterator[str]:
    """Yield every field of a JSON Schema that can hold text, as `object.field`."""
    yield from _fields(described, "", described["$defs"], frozenset())


def _fields(node: Json, path: str, definitions: Json, within: frozenset[str]) -> Iterator[str]:
    if reference := node.get("$ref"):
        name = reference.rpartition("/")[2]
        if name not in within:
            yield from _fields(definitions[name], path, definitions, within | {name})
        return
    for part in [*node.get("anyOf", []), *([node["items"]] if "items" in node else [])]:
        yield from _fields(part, path, definitions, within)
    for name, part in node.get("properties", {}).items():
        yield from _fields(part, f"{path.rpartition('.')[2]}.{name}" if path else name, definitions, within)
    is_text = node.get("type") in ("string", "object") or not {"type", "anyOf", "items"} & node.keys()
    if is_text and "properties" not in node:
        yield path
