"""The leak audit: put a marker into every field that people fill in, then search everything that Temporal stores.

In our database it searches the projection of cases. The archive of closed cases is not encrypted (docs/security.md).

The same audit without keys must find every marker, or it proves nothing.
"""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from embedded import Embedded
from encryption import data_converter
from encryption.keys import new_key
from settings import Settings
from tests.complaints import complaint
from tests.e2e.driving import unused_port
from tests.engine import ONCE, OpenCase

pytestmark = [pytest.mark.e2e, pytest.mark.long]
WORDS: set[str] = set()
"""Every marker."""


def planted(field: str) -> str:
    """Return the marker of a field."""
    WORDS.add(word := f"zq{field}qz")
    return word


COMPLAINT = {
    "customer": {"name": planted("name"), "phone": planted("phone"), "email": f"{planted('email')}@example.org"},
    "order": {
        "tracking_no": planted("tracking"),
        "carrier": planted("carrier"),
        "install_address": planted("address"),
        "items": [{"sku": "SLATE-9", "name": planted("item"), "quantity": 4, "unit_price": "3125.00"}],
    },
    "description": planted("description"),
    "evidence": [{"kind": "photo", "uri": f"https://example.org/{planted('photo')}"}],
}
SAID: list[tuple[str, dict[str, Any]]] = [
    ("contact-made", {"note": planted("contact"), "by": planted("caller")}),
    ("evidence-received", {"evidence": [{"kind": "video", "uri": planted("video")}], "by": planted("sender")}),
    ("note", {"text": planted("text"), "by": planted("writer")}),
    ("assign", {"team": "quality", "owner": planted("owner"), "by": planted("assigner")}),
    ("assess", {"severity": "severe", "note": planted("assessment"), "by": planted("assessor")}),
]
"""What agents send until there is an offer."""
OWNER, CARRIER = planted("owner"), planted("carrier")
"""An employee's name, which lists show and filter by."""
SEARCHED = {planted(field) for field in ("name", "phone", "email", "tracking", "item", "description")}
"""What a case is found by."""
NOT_PROJECTED = {planted(field) for field in ("unknown", "refused", "time")}
"""A message that no case accepts, and a complaint that no case was opened for."""


@pytest.fixture(params=[True, False], ids=["with keys", "without: the audit finds what there is"])
def sealed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> bool:
    """Whether payloads are encrypted in this arm."""
    if request.param:
        (tmp_path / "keys").write_text(new_key("k1"), encoding="ascii")
        monkeypatch.setenv("AFTER_SALES_ENCRYPTION_KEYS_FILE", str(tmp_path / "keys"))
    return bool(request.param)


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> str:
    """The worker's metrics address."""
    address = f"127.0.0.1:{unused_port()}"
    monkeypatch.setenv("AFTER_SALES_METRICS_ADDRESS", address)
    monkeypatch.setenv("AFTER_SALES_LOG_LEVEL", "DEBUG")
    return f"http://{address}/metrics"


@pytest.fixture
async def machine(sealed: bool, metrics: str, tmp_path: Path) -> AsyncIterator[Embedded]:  # noqa: ARG001 (set it up)
    """Everything on this machine, on files."""
    async with Embedded(data=tmp_path / "data", port=0, ui_port=0, partners_port=0) as machine:
        yield machine


async def test_no_text_from_people_is_found_where_temporal_stores_data(
    machine: Embedded, metrics: str, tmp_path: Path, *, sealed: bool
) -> None:
    client = await Client.connect(machine.address, data_converter=data_converter(Settings()))
    await _goods_damaged(client)
    await _withdrawn(client)
    await _refused_at_the_door(client)
    async with httpx.AsyncClient(trust_env=False) as http:
        measured = (await http.get(metrics)).content
    shown = await _shown(machine.address)
    database = _content(tmp_path / "data", "temporal.db*")
    rows, terms, events, facts = _projection(tmp_path / "data" / "records.db")
    logs = _content(tmp_path / "data" / "logs", "*.log")

    assert _found(database) == (set() if sealed else WORDS)
    assert _found(rows) == ({OWNER} if sealed else WORDS - NOT_PROJECTED)
    assert _found(terms) == (set() if sealed else SEARCHED)
    assert _found(events) == set()
    assert _found(facts) == {OWNER, CARRIER}
    assert b"after-sales" in measured
    assert b"CaseStatus" in shown
    assert b"worker ready" in logs
    for output in (measured, shown, logs):
        assert _found(output) == set()


async def _opened(client: Client, **more: Any) -> OpenCase:
    content = complaint(**more)
    handle = await client.start_workflow(
        CASE_WORKFLOW, content, id=workflow_id(content["case_id"]), task_queue=TASK_QUEUE, **ONCE
    )
    return OpenCase(content["case_id"], client, handle)


async def _goods_damaged(client: Client) -> None:
    """A case with every message, to its end; its carrier claim runs longer."""
    case = await _opened(client, **COMPLAINT)
    await case.becomes("assessing")
    for message, payload in SAID:
        await case.says(message, **payload)
    await case.becomes("awaiting_consent")
    await case.says("customer-declined", reason=planted("no"), by=planted("decliner"))
    await case.says("assess", severity="severe", note=planted("again"))
    await case.becomes("awaiting_consent")
    await case.signals("no-such-message", text=planted("unknown"))
    await case.signals("customer-approved", by=planted("approver"))
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5, comment=planted("comment"), by=planted("rater"))
    assert (await case.result())["outcome"] == "satisfied"


async def _withdrawn(client: Client) -> None:
    case = await _opened(client)
    await case.becomes("assessing")
    await case.says("complaint-withdrawn", reason=planted("withdrawn"))
    await case.result()


async def _refused_at_the_door(client: Client) -> None:
    """A refused complaint, which the workflow's failure quotes."""
    case = await _opened(client, description=planted("refused"), received_at=planted("time"))
    with pytest.raises(Exception, match="failed"):
        await case.result()


async def _shown(address: str) -> bytes:
    """Return ids, types, search attributes and memos of all workflows, as anybody sees them who may list them."""
    plain = await Client.connect(address)
    return b"".join([found.raw_info.SerializeToString() async for found in plain.list_workflows()])


def _projection(file: Path) -> list[bytes]:
    """The rows of cases in our database, the terms by which they are found, their events, and the facts of reviews."""
    with sqlite3.connect(file) as connection:
        tables = ("projection", "terms", "events", "facts")
        return [repr(connection.execute(f"SELECT * FROM case_{each}").fetchall()).encode() for each in tables]  # noqa: S608


def _content(folder: Path, pattern: str) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.glob(pattern)))


def _found(content: bytes) -> set[str]:
    return {word for word in WORDS if word.encode() in content}
