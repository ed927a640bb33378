"""What is to be sent to a webhook: each event once, in order for each case, again after failures, never lost."""

import base64
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from encryption.keys import KeyRing
from encryption.vault import SealingVault
from records import Disabled, Due, Endpoint, Records, SealedRecord, TooManyEvents, UnknownEndpoint
from records.outbox import deliveries as module
from records.outbox.deliveries import DOWN_AFTER, GIVES_UP, RARELY, SOON
from tests.records.conftest import run
from tests.records.projected import projected

URL = "https://hooks.example.org/events"
SECOND = timedelta(seconds=1)


@pytest.fixture
def endpoint(records: Records) -> Endpoint:
    return records.add_endpoint(URL, "whsec_one")


def write(records: Records, case_id: str = "HL-1", seq: int = 1, **listing: Any) -> None:
    """Write a row; the first one of a case has four events, each later status one."""
    records.project(projected(case_id, seq=seq, **{"status": f"change-{seq}", **listing}))
    records.number_events()


def due(records: Records, endpoint: Endpoint, now: datetime | None = None, limit: int = 100) -> list[Due]:
    now = now or datetime.now(UTC)
    records.queue_events(records.endpoint(endpoint.endpoint_id), now)
    return records.due_deliveries(endpoint.endpoint_id, now, limit)


def send_all(records: Records, endpoint: Endpoint, now: datetime | None = None) -> list[str]:
    """Deliver until nothing is due; return the ids of the events in the order of sending."""
    sent = []
    while waiting := due(records, endpoint, now):
        for each in waiting:
            records.delivered(endpoint.endpoint_id, each, 200, now or datetime.now(UTC))
            sent.append(each.event.id)
    return sent


def fail(records: Records, endpoint: Endpoint, each: Due, now: datetime) -> None:
    records.not_delivered(endpoint.endpoint_id, each, 500, "answered 500", now)


def test_endpoint_gets_the_events_from_its_creation_on_each_once(records: Records) -> None:
    write(records, "HL-0")
    endpoint = records.add_endpoint(URL, "whsec_one")
    write(records, "HL-1")

    assert send_all(records, endpoint) == [event.id for event in records.events_of("HL-1")]
    assert send_all(records, endpoint) == []
    assert records.next_due(endpoint.endpoint_id) is None
    assert {each.state for each in records.deliveries(endpoint.endpoint_id, 100)} == {"delivered"}


def test_endpoint_gets_only_what_it_asked_for(records: Records) -> None:
    chosen = records.add_endpoint(URL, "whsec_one", types=["case.opened"], lines=["express"])
    write(records, "HL-1")
    write(records, "HL-2", line="express")

    sent = send_all(records, chosen)

    assert sent == [records.events_of("HL-2")[0].id]
    assert records.endpoint(chosen.endpoint_id).cursor == records.latest_seq()


def test_events_of_a_case_are_sent_one_after_another_and_cases_beside_each_other(
    records: Records, endpoint: Endpoint
) -> None:
    write(records, "HL-1")
    write(records, "HL-2")

    first = due(records, endpoint)
    assert [(each.event.case_id, each.event.number) for each in first] == [("HL-1", 1), ("HL-2", 1)]

    records.delivered(endpoint.endpoint_id, first[0], 200, datetime.now(UTC))
    assert [(e.event.case_id, e.event.number) for e in due(records, endpoint)] == [("HL-1", 2), ("HL-2", 1)]


def test_case_whose_event_is_not_accepted_waits_and_others_do_not(records: Records, endpoint: Endpoint) -> None:
    write(records, "HL-1")
    write(records, "HL-2")
    now = datetime.now(UTC)
    fail(records, endpoint, due(records, endpoint, now)[0], now)

    assert send_all(records, endpoint, now) == [event.id for event in records.events_of("HL-2")]
    again = records.next_due(endpoint.endpoint_id)
    assert again is not None
    assert 0.8 * SOON <= again - now <= 1.2 * SOON
    assert send_all(records, endpoint, again) == [event.id for event in records.events_of("HL-1")]


def test_wait_doubles_up_to_two_hours(records: Records, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 1.0)
    write(records)
    now, waits = datetime.now(UTC), []
    monkeypatch.setattr(module, "DOWN_AFTER", 1000)

    for _ in range(16):
        fail(records, endpoint, due(records, endpoint, now)[0], now)
        then = records.next_due(endpoint.endpoint_id)
        assert then is not None
        waits.append(then - now)
        now = then

    assert waits[:5] == [5 * SECOND, 5 * SECOND, 10 * SECOND, 20 * SECOND, 40 * SECOND]
    assert waits[-1] == RARELY


def test_event_that_is_not_accepted_for_three_days_is_given_up_and_the_case_goes_on(
    records: Records, endpoint: Endpoint
) -> None:
    write(records, "HL-1")
    now = datetime.now(UTC)
    bad = due(records, endpoint, now)[0]
    fail(records, endpoint, bad, now)
    write(records, "HL-2")
    send_all(records, endpoint, now)

    last = now + GIVES_UP
    fail(records, endpoint, due(records, endpoint, last)[0], last)

    assert records.deliveries(endpoint.endpoint_id, 10, "failed")[0].event_id == bad.event.id
    assert records.endpoint(endpoint.endpoint_id).disabled is None
    assert send_all(records, endpoint, last) == [event.id for event in records.events_of("HL-1")[1:]]


def test_endpoint_that_accepts_nothing_for_three_days_is_disabled_and_loses_nothing(
    records: Records, endpoint: Endpoint
) -> None:
    write(records)
    now = datetime.now(UTC)
    fail(records, endpoint, due(records, endpoint, now)[0], now)
    almost = now + GIVES_UP - SECOND
    fail(records, endpoint, due(records, endpoint, almost)[0], almost)
    assert records.endpoint(endpoint.endpoint_id).disabled is None

    last = almost + RARELY * 2
    fail(records, endpoint, due(records, endpoint, last)[0], last)

    assert records.endpoint(endpoint.endpoint_id).disabled == Disabled.FAILING
    assert records.endpoints_to_serve(last + RARELY * 2) == []
    write(records, "HL-2")
    records.enable_endpoint(endpoint.endpoint_id)
    sent = send_all(records, endpoint)
    assert sorted(sent) == sorted(e.id for case in ("HL-1", "HL-2") for e in records.events_of(case))


def test_endpoint_that_is_down_gets_one_event_at_a_time_and_everything_once_it_is_back(
    records: Records, endpoint: Endpoint
) -> None:
    for number in range(DOWN_AFTER + 3):
        write(records, f"HL-{number}")
    now = datetime.now(UTC)
    for each in due(records, endpoint, now)[:DOWN_AFTER]:
        fail(records, endpoint, each, now)

    down = records.endpoint(endpoint.endpoint_id)
    assert down.failures == DOWN_AFTER
    assert down.paused_until is not None
    assert records.endpoints_to_serve(now + SECOND) == []

    later = down.paused_until
    assert records.endpoints_to_serve(later) == [endpoint.endpoint_id]
    [probe] = due(records, endpoint, later, limit=1)
    records.delivered(endpoint.endpoint_id, probe, 200, later)

    back = records.endpoint(endpoint.endpoint_id)
    assert (back.failures, back.failing_since, back.paused_until) == (0, None, None)
    assert len(due(records, endpoint, later)) == DOWN_AFTER + 3


def test_dead_endpoint_does_not_delay_another_one(records: Records, endpoint: Endpoint) -> None:
    other = records.add_endpoint("https://other.example.org/", "whsec_two")
    write(records)
    now = datetime.now(UTC)
    fail(records, endpoint, due(records, endpoint, now)[0], now)

    assert records.endpoints_to_serve(now) == [other.endpoint_id]
    assert len(send_all(records, other)) == 4


def test_only_so_many_events_wait_and_the_others_stay_in_the_outbox(
    records: Records, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUED", 6)
    for number in range(3):
        write(records, f"HL-{number}")

    records.queue_events(endpoint, datetime.now(UTC))
    records.queue_events(records.endpoint(endpoint.endpoint_id), datetime.now(UTC))

    assert records.waiting(endpoint.endpoint_id) == 6
    assert len(send_all(records, endpoint)) == 12


def test_two_workers_queue_an_event_once(records: Records, endpoint: Endpoint) -> None:
    write(records)

    records.queue_events(endpoint, datetime.now(UTC))
    records.queue_events(endpoint, datetime.now(UTC))

    assert records.waiting(endpoint.endpoint_id) == 4


def test_two_workers_that_send_the_same_event_record_it_once(records: Records, endpoint: Endpoint) -> None:
    write(records)
    now = datetime.now(UTC)
    [each] = due(records, endpoint, now)

    records.delivered(endpoint.endpoint_id, each, 200, now)
    fail(records, endpoint, each, now)

    [sent] = records.deliveries(endpoint.endpoint_id, 10, "delivered")
    assert (sent.event_id, sent.attempts, sent.status) == (each.event.id, 1, 200)


def test_events_are_sent_again_by_id_with_the_same_id(records: Records, endpoint: Endpoint) -> None:
    write(records)
    sent = send_all(records, endpoint)

    assert records.replay(endpoint.endpoint_id, [sent[2], sent[0], "evt_unknown"]) == 2

    assert send_all(records, endpoint) == [sent[0], sent[2]]


def test_events_of_a_period_are_sent_again(records: Records, url: str) -> None:
    chosen = records.add_endpoint(URL, "whsec_one", types=["case.opened", "case.assigned"])
    write(records, "HL-1")
    write(records, "HL-2")
    send_all(records, chosen)
    earlier = "UPDATE case_events SET written_at = '2026-01-01 00:00:00.000000' WHERE case_id = 'HL-1'"
    run(url, earlier.replace(".000000", "+00") if url.startswith("postgresql") else earlier)
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert records.replay(chosen.endpoint_id, since=start, until=start + SECOND) == 2
    assert send_all(records, chosen) == [event.id for event in records.events_of("HL-1")[:2]]
    assert records.replay(chosen.endpoint_id, since=start + SECOND) == 2


def test_too_many_events_are_not_sent_again(
    records: Records, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPLAYED", 3)
    write(records)
    send_all(records, endpoint)

    with pytest.raises(TooManyEvents):
        records.replay(endpoint.endpoint_id, since=datetime(2026, 1, 1, tzinfo=UTC))

    assert records.waiting(endpoint.endpoint_id) == 0


def test_log_is_bounded_and_what_waits_is_kept(
    records: Records, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOGGED", 2)
    write(records)
    sent = send_all(records, endpoint)
    write(records, seq=2)
    records.queue_events(records.endpoint(endpoint.endpoint_id), datetime.now(UTC))

    records.shorten_log(endpoint.endpoint_id)

    kept = records.deliveries(endpoint.endpoint_id, 10)
    assert [each.event_id for each in kept if each.state == "delivered"] == [sent[-1], sent[-2]]
    assert [each.state for each in kept].count("pending") == 1


def test_enabled_endpoint_may_leave_out_what_came_meanwhile(records: Records, endpoint: Endpoint) -> None:
    write(records)
    records.queue_events(endpoint, datetime.now(UTC))
    records.disable_endpoint(endpoint.endpoint_id, Disabled.BY_HAND)
    write(records, "HL-2")

    records.enable_endpoint(endpoint.endpoint_id, from_now=True)
    write(records, "HL-3")

    assert send_all(records, endpoint) == [event.id for event in records.events_of("HL-3")]


def test_two_secrets_sign_while_one_replaces_the_other(records: Records, endpoint: Endpoint) -> None:
    now = datetime.now(UTC)
    records.rotate_secret(endpoint.endpoint_id, "whsec_two", now + timedelta(hours=24))

    assert records.secrets_of(endpoint.endpoint_id, now) == ["whsec_two", "whsec_one"]
    assert records.secrets_of(endpoint.endpoint_id, now + timedelta(hours=24)) == ["whsec_two"]

    records.rotate_secret(endpoint.endpoint_id, "whsec_three", now + timedelta(hours=24))
    assert records.secrets_of(endpoint.endpoint_id, now) == ["whsec_three", "whsec_two"]


def with_keys(url: str, *numbers: int) -> Records:
    """Records with these keys."""
    keys = ",".join(f"k{number}:{base64.b64encode(bytes([number] * 32)).decode()}" for number in numbers)
    return Records(url, SealingVault(KeyRing(text=keys)))


def test_secrets_are_sealed_if_there_are_keys_and_sealed_again_with_new_ones(url: str) -> None:
    with closing(with_keys(url, 1)) as records:
        endpoint_id = records.add_endpoint(URL, "whsec_one").endpoint_id
    with closing(with_keys(url, 2, 1)) as records:
        records.reseal_secrets()

    with closing(with_keys(url, 2)) as records:
        assert records.secrets_of(endpoint_id, datetime.now(UTC)) == ["whsec_one"]
    with closing(Records(url)) as records, pytest.raises(SealedRecord):
        records.secrets_of(endpoint_id, datetime.now(UTC))


def test_removed_endpoint_is_gone_with_its_log(records: Records, endpoint: Endpoint) -> None:
    write(records)
    [each] = due(records, endpoint)

    records.remove_endpoint(endpoint.endpoint_id)

    assert records.endpoints() == []
    records.delivered(endpoint.endpoint_id, each, 200, datetime.now(UTC))
    fail(records, endpoint, each, datetime.now(UTC))
    for use in (records.endpoint, records.remove_endpoint, records.enable_endpoint, records.replay):
        with pytest.raises(UnknownEndpoint):
            use(endpoint.endpoint_id)
    with pytest.raises(UnknownEndpoint):
        records.secrets_of(endpoint.endpoint_id, datetime.now(UTC))
