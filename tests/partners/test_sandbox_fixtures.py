"""Fixture files: what they may contain, and how their faults are reported."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cases.errors import InvalidInput
from cases.vocabulary import RemedyKind
from partners.sandbox.fixtures import Fixtures, load
from tests.partners.running import RunningSandbox, Start

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def fixtures(tmp_path: Path, text: str) -> Fixtures:
    path = tmp_path / "orders.yaml"
    path.write_text(text, encoding="utf-8")
    return Fixtures(load(path))


def test_order_without_an_entry_behaves_well(tmp_path: Path) -> None:
    order = fixtures(tmp_path, "").of("SO-1", NOW)

    assert order.dispatch is not None
    assert order.trail is None
    assert order.installation is None
    assert [reported.state for reported in order.reports_on(RemedyKind.GIFT)] == ["dispatched", "done"]
    assert order.satisfaction is None


def test_entry_for_every_other_order(tmp_path: Path) -> None:
    found = fixtures(tmp_path, '"*": {satisfaction: 4}\nSO-1: {satisfaction: 1}\nSO-3:\n')

    assert [found.of(order, NOW).satisfaction for order in ("SO-1", "SO-2")] == [1, 4]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("-3d", NOW - timedelta(days=3)),
        ("+1.5h", NOW + timedelta(minutes=90)),
        ("-30m", NOW - timedelta(minutes=30)),
        ("-5s", NOW - timedelta(seconds=5)),
        ("now", NOW),
        ("2026-11-20T18:00:00+08:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ],
)
def test_times_are_absolute_or_relative_to_the_time_of_the_request(tmp_path: Path, text: str, at: datetime) -> None:
    found = fixtures(tmp_path, f"SO-1: {{trail: {{state: in_transit, events: [{{at: {text}, what: seen}}]}}}}")

    trail = found.of("SO-1", NOW).trail

    assert trail is not None
    assert trail.events[0].at == at


def test_text_that_looks_like_a_time_stays_text(tmp_path: Path) -> None:
    trail = fixtures(tmp_path, "SO-1: {trail: {state: lost, cause: -3d}}").of("SO-1", NOW).trail

    assert trail is not None
    assert trail.cause == "-3d"


def test_json_is_accepted(tmp_path: Path) -> None:
    order = fixtures(tmp_path, '{"SO-1": {"stock": {"SLATE-9": 0}, "crew": "none"}}').of("SO-1", NOW)

    assert (order.stock, order.crew) == ({"SLATE-9": 0}, "none")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SO-1: {stck: {}}", "SO-1.stck: is not known here"),
        ("SO-1: {trail: {state: vanished}}", "SO-1.trail.state: "),
        ("SO-1: {trail: {state: lost, events: [{at: yesterday, what: x}]}}", "SO-1.trail.events.0.at: "),
        ("SO-1: {trail: {state: lost, events: [{at: -999999d, what: x}]}}", "SO-1.trail.events.0.at: "),
        ("SO-1: {satisfaction: 6}", "SO-1.satisfaction: "),
        ("SO-1: {stock: {SLATE-9: -1}}", "SO-1.stock.SLATE-9: "),
        ("SO-1: [1]", "SO-1: must be a mapping"),
        ("- SO-1", "must map order ids to entries"),
        ("SO-1: {}\nSO-1: {}", "in line 2"),
        ("SO-1: [", "is not YAML or JSON"),
        ('"\u202e": {}\n"\u202e": {}', 'duplicate key "\N{REPLACEMENT CHARACTER}"'),
    ],
)
def test_fault_is_named_by_file_order_and_field(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        fixtures(tmp_path, text)

    assert str(tmp_path / "orders.yaml") in str(caught.value)
    assert problem in str(caught.value)


async def test_change_at_run_time_overrides_the_file_and_survives_a_restart(start_sandbox: Start) -> None:
    entries = {"SO-1": {"stock": {"SLATE-9": 0}, "satisfaction": 2}}
    async with start_sandbox(entries) as before:
        await before.order(stock={"SLATE-9": 5})

    async with start_sandbox(entries) as after:
        now = await after.admin.post("/_sandbox/orders/SO-1", json={})

    assert now.json()["stock"] == {"SLATE-9": 5}
    assert now.json()["satisfaction"] == 2


async def test_faulty_change_is_refused_and_changes_nothing(sandbox: RunningSandbox) -> None:
    answer = await sandbox.admin.post("/_sandbox/orders/SO-1", json={"stock": {"SLATE-9": "many"}})

    assert answer.status_code == 422
    assert "SO-1.stock.SLATE-9" in answer.json()["detail"]
    assert (await sandbox.admin.post("/_sandbox/orders/SO-1", json={})).json()["stock"] == {}
