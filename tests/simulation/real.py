"""A simulated case once more through the real workflow: the same complaint, partners and messages at the same times."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from temporalio.testing import TimeSkipper

from cases.partner_calls import LookUp, Receipt, ReceiptState, StepCommand, Wire
from cases.policy.remedy_kinds import STEP_PARTNERS
from cases.progress.call_outcomes import Found, Refused, Unknown
from cases.views.snapshot import Snapshot
from partners.http import Partners as Ports
from partners.ports import OutcomeUnknown, PartnerRefused, StepPartner
from simulation.draws import Draws
from simulation.partners import Partners
from simulation.played import Played
from simulation.scenario import Scenario
from tests.engine import OpenCase, Workshop
from tests.fakes import FakeCallbacks, FakeMessaging

SETTLES = timedelta(minutes=1)
"""Case time beyond the last event: deadlines are a little later than planned, because real time passes as well."""


class SimulatedPartners:
    """The simulation's partners behind the ports of a real worker. Their answers depend on the key alone."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario, self._draws = scenario, Draws(seed)
        self._of: dict[str, Partners] = {}

    def meet(self, played: Played, moved: timedelta) -> None:
        """Know a case, whose times are moved."""
        truth = played.partners.truth
        truth = replace(truth, received_at=truth.received_at + moved)
        self._of[played.case.id] = Partners(self._scenario, self._draws, truth)

    async def carry_out(self, command: StepCommand) -> Receipt:
        """Answer as in the simulation; a known key is not carried out again."""
        partners = self._of[command.case_id]
        if command.key in partners.receipts:
            return partners.receipts[command.key]
        result, _ = partners.call(command)
        match result:
            case Found(receipt) if receipt:
                return receipt
            case Refused(why):
                raise PartnerRefused(why)
            case Unknown(why):
                raise OutcomeUnknown(why)
        raise AssertionError(f"{command.key}: {result} cannot be answered here")

    async def find(self, key: str) -> Receipt | None:
        """Return what was done under this key."""
        return self._of[key.split("/", maxsplit=1)[0]].receipts.get(key)

    async def look_up(self, name: str, what: LookUp) -> Wire | None:
        """Return what the partner knows."""
        return self._of[what.case_id].known_of(name)

    def reached(self, case_id: str, key: str, state: str) -> None:
        """Record what a partner is about to report."""
        self._of[case_id].reached(key, ReceiptState(state), None)

    def ports(self) -> Ports:
        """Return the ports for the worker."""

        async def nothing() -> None:
            return None

        steps: dict[str, StepPartner] = dict.fromkeys(map(str, STEP_PARTNERS), self)
        return Ports(steps=steps, look_ups=self, messaging=FakeMessaging(), callbacks=FakeCallbacks(), aclose=nothing)


class Clock:
    """One case's time: in the simulation, and in the real workflow, which begins now."""

    def __init__(self, played: Played, now: datetime) -> None:
        self.moved = now - played.case.opened_at

    def complaint(self, played: Played) -> dict[str, Any]:
        """Return the complaint with all its times moved."""
        raw: dict[str, Any] = played.case.complaint.model_dump(mode="json", exclude_none=True)
        for part in (raw, raw.get("order") or {}):
            for name in [name for name in part if name.endswith("_at")]:
                part[name] = (datetime.fromisoformat(part[name]) + self.moved).isoformat()
        return raw


async def run_again(played: Played, workshop: Workshop, partners: SimulatedPartners, now: datetime) -> dict[str, Any]:
    """Send a case that has ended in the simulation through the real workflow. Return its final snapshot."""
    clock = Clock(played, now)
    partners.meet(played, clock.moved)
    case = await workshop.take_in(clock.complaint(played))
    await case.at_rest()
    for said in played.said:
        await _until(case, said.at + clock.moved)
        if said.name == "step-reported":
            partners.reached(case.id, said.payload["key"], said.payload["state"])
        await case.says(said.name, **said.payload)
        await case.at_rest()
    closed, last = played.case.closed_at, played.said[-1].at if played.said else played.case.opened_at
    assert closed
    if closed > last:  # nobody says anything more, and the case closes by itself
        await _skip_to(case, closed + clock.moved + SETTLES)
    return await case.result()


async def _until(case: OpenCase, at: datetime) -> None:
    """Move the case's clock forward; everything happens that becomes due."""
    await _skip_to(case, at)
    await case.at_rest()


async def _skip_to(case: OpenCase, at: datetime) -> None:
    left = at - await case.now()
    if left > timedelta():
        await TimeSkipper(case.client).fast_forward(case.handle, left)


def essence(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return what must not depend on how a case was run: everything but times and references."""
    return {
        "ended": (snapshot["status"], snapshot["outcome"], snapshot["cycle"], snapshot["urgent"], snapshot["owner"]),
        "found": {name: value for name, value in snapshot["finding"].items() if name not in ("facts", "hours_late")},
        "promises": [(p["rule"], p["name"], p["cycle"], p["state"]) for p in snapshot["promises"]],
        "offers": [(o["id"], o["state"], o["rule"], o["accepted"], o["options"]) for o in snapshot["offers"]],
        "steps": [(s["id"], s["state"], s.get("amount"), s.get("items"), s["key"]) for s in snapshot["steps"]],
        "escalations": sorted((e["promise"], e["cycle"], e["rung"], e["role"]) for e in snapshot["escalations"]),
        "paid": snapshot["paid"],
        "scores": [(s["cycle"], s["score"]) for s in snapshot["satisfaction"]],
        "refused": snapshot["refused"],
        "timeline": sorted(entry["what"] for entry in snapshot["timeline"]),
    }


def simulated(played: Played) -> dict[str, Any]:
    """Return the final snapshot of a case in the simulation, as others read it."""
    seen: dict[str, Any] = json.loads(Snapshot.of(played.case).model_dump_json())
    return seen
