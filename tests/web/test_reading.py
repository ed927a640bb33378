"""Lists and single cases over HTTP: filters, pages, versions, and our database where no worker answers."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from cases.views.snapshot import Snapshot
from client.connection import Unreachable
from records import Records
from tests.complaints import complaint
from tests.records.projected import NOW, projected
from tests.web.conftest import FakeEngine, NewKey


@pytest.fixture
def reader(key: NewKey, http: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client that may read every case."""
    http.headers.update(key("read:*", "messages:*"))
    return http


@pytest.fixture
def five(records: Records) -> None:
    """Five open cases, due one after another, and opened in the opposite order; and a closed one."""
    for number in range(1, 6):
        records.project(
            projected(
                f"C-{number}",
                next_due_at=NOW + timedelta(hours=number) if number < 5 else None,
                opened_at=NOW - timedelta(days=number),
                owner="li.na" if number == 2 else None,
                urgent=number == 3,
                broken=["solution"] if number == 4 else [],
                needs=["approval"] if number == 1 else [],
            )
        )
    records.project(projected("C-0", status="closed", outcome="satisfied", closed_at=NOW, next_due_at=None))


async def ids(client: httpx.AsyncClient, query: str) -> list[str]:
    answer = await client.get(f"/v1/cases?{query}")
    assert answer.status_code == 200, answer.text
    return [row["case_id"] for row in answer.json()["cases"]]


@pytest.mark.usefixtures("five")
class TestLists:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["C-1", "C-2", "C-3", "C-4", "C-5"]),
            ("sort=-opened_at", ["C-1", "C-2", "C-3", "C-4", "C-5"]),
            ("state=closed", ["C-0"]),
            ("state=all", ["C-0", "C-1", "C-2", "C-3", "C-4", "C-5"]),
            ("owner=LI.NA", ["C-2"]),
            ("urgent=true", ["C-3"]),
            ("broken=true", ["C-4"]),
            ("overdue=true", ["C-1", "C-2", "C-3", "C-4"]),
            ("needs=approval", ["C-1"]),
            ("line=express", []),
            ("search=岩板&limit=1", ["C-1"]),
        ],
    )
    async def test_filters_and_order(self, reader: httpx.AsyncClient, query: str, expected: list[str]) -> None:
        assert await ids(reader, query) == expected

    @pytest.mark.parametrize("query", ["", "sort=-opened_at", "state=all"])
    async def test_pages_together_are_the_list(self, reader: httpx.AsyncClient, query: str) -> None:
        """Also where cases without a deadline come last."""
        found, cursor = list[str](), ""
        while True:
            page = (await reader.get(f"/v1/cases?limit=2&{query}{cursor}")).json()
            found += [row["case_id"] for row in page["cases"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"

        assert found == await ids(reader, query)

    async def test_cursor_belongs_to_its_list(self, reader: httpx.AsyncClient) -> None:
        following = (await reader.get("/v1/cases?limit=1")).json()["next"]

        other = await reader.get(f"/v1/cases?limit=1&urgent=true&cursor={following}")

        assert other.status_code == 422
        assert other.json()["errors"][0]["field"] == "cursor"

    async def test_row_holds_no_personal_data(self, reader: httpx.AsyncClient) -> None:
        answer = await reader.get("/v1/cases")

        assert "王丽" not in answer.text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("urgent=1", "urgent"),
        ("limit=0", "limit"),
        ("limit=1e1", "limit"),
        ("status=nonsense", "status"),
        ("state=closed&sort=next_due_at", "sort"),
        ("cursor=bm9uc2Vuc2U", "cursor"),
        ("cursor=%00", "cursor"),
        ("line=%00", "line"),
        ("search=", "search"),
    ],
)
async def test_faulty_parameter_is_named(reader: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await reader.get(f"/v1/cases?{query}")

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_every_faulty_parameter_is_named(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/v1/cases?urgent=1&limit=0&colour=red")

    assert {error["field"] for error in answer.json()["errors"]} == {"urgent", "limit", "colour"}


class TestOneCase:
    @pytest.fixture(autouse=True)
    def known(self, cases: FakeEngine, records: Records) -> None:
        cases.complaints["HL-1"] = complaint(case_id="HL-1")
        snapshot = Snapshot.being_admitted("HL-1").model_dump_json()
        records.project(projected("HL-1").model_copy(update={"snapshot": snapshot}))

    async def test_comes_from_its_workflow_with_its_version(self, reader: httpx.AsyncClient) -> None:
        answer = await reader.get("/v1/cases/HL-1")
        again = await reader.get("/v1/cases/HL-1", headers={"if-none-match": answer.headers["etag"]})

        assert (answer.json()["as_of"], answer.json()["case"]["case_id"]) == (None, "HL-1")
        assert (again.status_code, again.content) == (304, b"")

    async def test_comes_from_our_database_where_nobody_answers(
        self, reader: httpx.AsyncClient, cases: FakeEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def silent(case_id: str) -> Any:
            raise Unreachable(f"{case_id} does not answer")

        monkeypatch.setattr(cases, "snapshot", silent)

        kept, missing = await reader.get("/v1/cases/HL-1"), await reader.get("/v1/cases/HL-2")

        assert (kept.status_code, kept.json()["case"]["case_id"]) == (200, "HL-1")
        assert kept.json()["as_of"] is not None
        assert (missing.status_code, missing.json()["detail"]) == (503, "HL-2 does not answer")

    @pytest.mark.parametrize(
        ("case_id", "status"),
        [("HL-2", 404), ("case-HL-1", 404), ("..%2f..", 404), ("%00", 422), ("two%20words", 422), ("x" * 101, 422)],
    )
    async def test_what_is_no_case_is_not_found(self, reader: httpx.AsyncClient, case_id: str, status: int) -> None:
        answer = await reader.get(f"/v1/cases/{case_id}")

        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_events_are_those_of_the_outbox_in_order(self, reader: httpx.AsyncClient, records: Records) -> None:
        kept = records.events_of("HL-1")

        found = (await reader.get("/v1/cases/HL-1/events")).json()
        first = (await reader.get("/v1/cases/HL-1/events?limit=1")).json()
        later = (await reader.get(f"/v1/cases/HL-1/events?after={len(kept)}")).json()

        assert [event["id"] for event in found["events"]] == [event.id for event in kept]
        assert [event["data"]["number"] for event in found["events"]] == list(range(1, len(kept) + 1))
        assert (found["events"][0]["type"], found["more"]) == ("case.opened", False)
        assert (len(first["events"]), first["more"]) == (1, len(kept) > 1)
        assert later == {"events": [], "more": False}

    async def test_message_that_relies_on_an_older_version_is_refused_with_what_changed(
        self, reader: httpx.AsyncClient, cases: FakeEngine
    ) -> None:
        seen = (await reader.get("/v1/cases/HL-1")).headers["etag"]
        note = "/v1/cases/HL-1/messages/note"

        first = await reader.post(note, json={"text": "one"}, headers={"if-match": seen})
        stale = await reader.post(note, json={"text": "two"}, headers={"if-match": seen})
        fresh = await reader.post(note, json={"text": "two"}, headers={"if-match": stale.headers["etag"]})

        assert [each.status_code for each in (first, stale, fresh)] == [200, 412, 200]
        assert [entry["what"] for entry in stale.json()["changed"]] == ["note"]
        assert [payload["text"] for _, _, payload, _ in cases.sent] == ["one", "two"]
