"""The command line at a running server: open, read and message cases, and list them."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from settings import ROOT
from tests.e2e.driving import Starter, complaint, eventually, interrupted, starter_at, starter_here, starter_up

File = Callable[..., Path]
POLICIES = ROOT / "policies"


async def _terminated(address: str, workflow: str) -> None:
    await (await Client.connect(address)).get_workflow_handle(workflow).terminate()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server for this module only."""
    with starter_up("--ephemeral") as up:
        assert up.ready.startswith("ready  temporal 127.0.0.1:")
        yield up.address


@pytest.fixture
def live(address: str, capsys: pytest.CaptureFixture[str]) -> Starter:
    """The command line at that server."""
    return starter_here(address, capsys)


@pytest.mark.e2e
class TestWithAServer:
    def test_a_complaint_sent_twice_is_one_case(self, address: str, live: Starter, file: File) -> None:
        """G1."""
        path = file(complaint(case_id="TWICE"), name="complaint.json")

        first, second = live("open", path), starter_at(address)("open", "-", stdin=path.read_text())

        assert (first.code, first.out) == (0, "TWICE opened\n")
        assert (second.code, second.out) == (0, "TWICE already open, nothing started\n")

    def test_a_bad_complaint_stops_no_good_one(self, live: Starter, file: File) -> None:
        result = live("open", file(complaint(case_id="G-1"), "{broken", complaint(case_id="G-2")))

        assert result.code == 1
        assert [line.partition(" refused")[0].rpartition("/")[2] for line in result.out.splitlines()] == [
            "G-1 opened",
            "complaints.ndjson:2",
            "G-2 opened",
        ]

    @pytest.mark.parametrize(
        "arguments",
        [["show", "HL-404"], ["watch", "HL-404"], ["skip", "HL-404", "1h"], ["note", "HL-404", "--text", "x"]],
    )
    def test_a_case_that_does_not_exist_is_named(self, live: Starter, arguments: list[str]) -> None:
        result = live(*arguments)

        assert (result.code, result.out) == (1, "")
        assert "no case HL-404 at 127.0.0.1:" in result.err
        assert "check the id with starter.py list" in result.err

    def test_a_refusal_is_the_sentence_of_the_case(self, live: Starter, file: File) -> None:
        live("open", file(complaint(case_id="EARLY")))

        result = live("satisfaction-reported", "EARLY", "--score", "5")

        assert (result.code, result.out) == (1, "")
        assert result.err == "EARLY is assessing: satisfaction is asked once the steps are done\n"

    def test_case_takes_messages_is_shown_skips_time_and_closes(self, live: Starter, file: File) -> None:
        """G5: silence for seven days closes the case."""
        live("open", file(complaint(case_id="LIFE")))

        assessed = live("assess", "LIFE", "--severity", "moderate", "--affected", "SLATE-9=1", "--by", "li")
        assert assessed.out.startswith("LIFE assess: done")
        assert "replacement 1 × SLATE-9" in assessed.out

        skipped = live("skip", "LIFE", "8", "days")
        assert skipped.code == 0

        seen = json.loads(live("show", "LIFE", "--json").out)
        assert (seen["status"], seen["outcome"]) == ("closed", "no_response")
        assert "closed as no_response" in live("show", "LIFE").out

        watched = live("watch", "LIFE")
        assert watched.out.endswith("LIFE is closed as no_response\n")

        late = live("note", "LIFE", "--text", "hello")
        assert (late.code, late.out) == (1, "")
        assert "LIFE closed as no_response on " in late.err
        assert 'take it up again within 30 days: "starter.py reopen LIFE"' in late.err

        accepted = live("customer-approved", "LIFE", "--option", "replace")
        assert accepted.out.startswith("LIFE customer-approved: LIFE closed as no_response on ")
        assert "LIFE.2 reopens it and asks the customer again" in accepted.out
        reopened = live("reopen", "LIFE", "--by", "li")
        assert reopened.out == "LIFE.2 already open, nothing started, it follows LIFE\n"

        again = live("open", file(complaint(case_id="LIFE")))
        assert again.out == "LIFE already closed: no_response\n"

    def test_list_shows_what_is_asked_for(self, live: Starter, file: File) -> None:
        live("open", file(complaint(case_id="LISTED", received_at="2026-11-01T09:00:00+08:00")))

        def listed(*options: str) -> list[str]:
            result = live("list", "--json", *options)
            assert result.code == 0
            return [json.loads(line)["case_id"] for line in result.out.splitlines()]

        wanted = ("--line", "building_materials", "--topic", "transport.damage", "--team", "logistics", "--overdue")
        assert eventually(lambda: "LISTED" in listed(*wanted)), "Temporal's list lags behind"
        assert listed("--order", "SO-LISTED") == ["LISTED"]
        assert "LISTED" not in listed("--team", "quality")
        assert "is not one of claims," in live("list", "--team", "' OR CaseTeam = 'logistics").err, (
            "a name is not a query"
        )
        live("assign", "case-LISTED", "--owner", "Li.Na", "--team", "night shift")
        assert listed("--owner", "li.na") == ["LISTED"]
        assert eventually(lambda: listed("--team", "night shift") == ["LISTED"]), "a team that no policy names"
        assert listed("--owner", "nobody") == []

    def test_open_cases_are_listed_and_closed_ones_on_demand(self, live: Starter, file: File) -> None:
        live("open", file(complaint(case_id="ENDED")))
        live("complaint-withdrawn", "ENDED")

        def listed(*options: str) -> bool:
            return "ENDED" in live("list", *options).out

        assert eventually(lambda: listed("--status", "closed") and not listed())
        assert listed("--all")

    @pytest.mark.parametrize("verb", ["show", "note", "skip", "policy move", "reopen", "watch"])
    def test_case_is_also_found_by_its_workflow_id(self, live: Starter, file: File, verb: str) -> None:
        case_id = f"KNOWN-{verb.replace(' ', '-')}"
        live("open", file(complaint(case_id=case_id)))
        if verb in ("reopen", "watch"):
            live("skip", f"case-{case_id}", "9", "days")
            live("assess", case_id, "--severity", "minor")
            live("complaint-withdrawn", case_id)
        more = {
            "note": ["--text", "hello"],
            "skip": ["1s"],
            "policy move": ["--by", "li", "--reason", "new terms", "--json"],
        }

        result = live(*verb.split(), f"case-{case_id}", *more.get(verb, []))

        assert result.code == 0, result
        assert case_id in result.out
        assert f"case-{case_id}" not in result.out
        if verb == "policy move":
            assert json.loads(result.out)["case_id"] == case_id

    def test_case_on_a_task_queue_without_workers_is_reported(self, address: str, live: Starter) -> None:
        async def start() -> None:
            client = await Client.connect(address)
            given = complaint(case_id="ASTRAY")
            await client.start_workflow("AfterSalesCase", given, id="case-ASTRAY", task_queue="aftersales")

        asyncio.run(start())
        result = live("show", "ASTRAY")

        assert result.code == 1
        assert result.err == (
            "no worker serves task queue aftersales, on which case-ASTRAY was started, and there is no case yet: "
            "temporal workflow terminate --workflow-id case-ASTRAY, then start it on after-sales\n"
        )
        live("list")  # continues
        asyncio.run(_terminated(address, "case-ASTRAY"))

    def test_watching_ends_with_an_interrupt(self, live: Starter, file: File, address: str) -> None:
        live("open", file(complaint(case_id="WATCHED")))

        line, code = interrupted(address, "watch", "WATCHED")

        assert "received  transport.damage through hotline" in line
        assert code == 0

    def test_a_namespace_that_is_not_there_is_named(self, live: Starter) -> None:
        result = live("show", "HL-1", TEMPORAL_NAMESPACE="elsewhere")

        assert result.code == 1
        assert "has no namespace elsewhere: set TEMPORAL_NAMESPACE" in result.err
