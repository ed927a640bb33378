"""A case in memory with a clock, messaging and partners that act as the workflow would.

A test lets something happen and checks the case afterwards:

    world = open_case("transport.damage")
    world.says("assess", severity="moderate")
    world.after(hours=1)
"""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

import policies
from cases.contract import MOVE_POLICY
from cases.entitlement.step_commands import command_for
from cases.errors import Refusal
from cases.inbox.receiving import receive
from cases.partner_calls import (
    DispatchRecord,
    InstallationRecord,
    Receipt,
    ReceiptState,
    StepCommand,
    Trail,
    TrailEvent,
    TrailState,
)
from cases.policy.policy import Policy, check_against
from cases.policy.remedy_kinds import MONEY
from cases.progress.alarms import alarms, fire
from cases.progress.assessing import consider, consider_due
from cases.progress.call_outcomes import CallOutcome, Found, Refused, Try, TryAgain, Unknown, outcome
from cases.progress.carrying_out import started
from cases.progress.delivery import delivered, undeliverable
from cases.progress.opening import open_case as opened
from cases.progress.verification import account_read, looked_up
from cases.state.account import Account
from cases.state.case import Case
from cases.state.letter import Audience, Letter
from cases.state.offer import Offer, Option
from cases.state.promise import Promise
from cases.state.step import Step
from cases.views.snapshot import Snapshot
from cases.vocabulary import Partner, PromiseName, PromiseState, RemedyKind, Status
from messages import Text
from tests.cases.letters import rendered
from tests.complaints import check_complaint

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 18, 9, 0, tzinfo=SHANGHAI)
"""When complaints are received: a Wednesday in an ordinary week."""
SECOND = timedelta(seconds=1)
NEVER_ENDS = 500
"""Changes that follow from one another without time passing; more would be a loop in the workflow."""

Answer = Literal["accepted", "dispatched", "done", "failed", "refused", "down", "over_limit", "unknown", "silent"]
"""A partner's answer to a command: a report, a refusal, an outage, a time-out, or nothing yet.

`over_limit`: our own ledger refuses it (S15).
"""


@cache
def in_force() -> dict[str, Policy]:
    """The policies by line."""
    return policies.load(Path(policies.__file__).parent)


def in_shanghai(*when: int) -> datetime:
    """A time of day in the zone of the policies."""
    return datetime(*when, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


def building_materials() -> Policy:
    return in_force()["building_materials"]


class World:
    """One case, the time, and what has come out of the case so far."""

    def __init__(self, case: Case, now: datetime) -> None:
        self.case = case
        self.now = now
        self.down: set[Audience] = set()
        """Channels that are down: letters wait."""
        self.closed: set[Audience] = set()
        """Channels that cannot deliver at all: letters come back."""
        self.answers: dict[str, Answer] = {}
        """Answers of partners by kind of step; by default money is paid at once and everything else is accepted."""
        self.account: Account | None = None
        """What our records say of the order by now; None: what the case read last."""
        self.sent: list[Letter] = []
        self.texts: list[Text] = []
        self.commands: list[StepCommand] = []
        self.released: list[str] = []
        """Keys of what was reported as failed, and given back to the order's ledger."""

    # What happens

    def after(self, **time: float) -> "World":
        """Time passes; every alarm rings when it is due, in order."""
        return self.until(self.now + timedelta(**time))

    def until(self, then: datetime) -> "World":
        for _ in range(NEVER_ENDS):
            due = min(alarms(self.case), key=lambda alarm: alarm.at, default=None)
            if due is None or due.at > then:
                break
            self.now = max(self.now, due.at)
            fire(self.case, due.name, self.now)
            self.attend()
        else:
            pytest.fail(f"the same alarms fire forever: {alarms(self.case)}")
        self.now = then
        return self

    def without_worker(self, **time: float) -> "World":
        """Time passes and nothing runs; then all that came due meanwhile is done at once."""
        self.now += timedelta(**time)
        return self.until(self.now)

    def says(self, message: str, **payload: Any) -> dict[str, Any]:
        """Send a message, which is applied."""
        answer = receive(self.case, message, payload, self.now)
        self.attend()
        return answer

    def moves(self, policy: Policy, **payload: Any) -> dict[str, Any]:
        """Move the case to the policy that is in force now."""
        wanted = {"by": "chen", "reason": "the new terms count for all", **payload}
        answer = receive(self.case, MOVE_POLICY, wanted, self.now, policy)
        self.attend()
        return answer

    def refuses(self, message: str, **payload: Any) -> str:
        """Send a message that cannot be applied; return the reason. The case must not change."""
        before = self.case.model_dump()
        with pytest.raises(Refusal) as refusal:
            receive(self.case, message, payload, self.now)
        assert self.case.model_dump() == before
        return str(refusal.value)

    def finds(self, what: str, answer: Trail | DispatchRecord | InstallationRecord | None) -> "World":
        """A partner answers a look-up."""
        looked_up(self.case, what, answer, self.now)
        self.attend()
        return self

    def comes_back(self, *audiences: Audience) -> "World":
        """Channels that were down are up again."""
        self.down -= set(audiences)
        self.attend()
        return self

    def continues_as_new(self) -> "World":
        """The case travels through JSON, as when its workflow begins a new run."""
        self.case = Case.model_validate(self.case.model_dump(mode="json"))
        return self

    def attend(self) -> None:
        """Begin what has become possible, until nothing is left: as the workflow does after each change."""
        for _ in range(NEVER_ENDS):
            self.case.ask_after.clear()
            self.released += self.case.unpaid
            self.case.unpaid.clear()
            if not (self._offers() or self._begins() or self._delivers()):
                return
        pytest.fail("the case never comes to rest")

    def _offers(self) -> bool:
        if self.case.offer_due is None:
            return False
        if self.account:
            account_read(self.case, self.account)
        consider_due(self.case, self.now)
        return True

    def _begins(self) -> bool:
        step = next(iter(self.case.ready()), None)
        if step is None:
            return False
        started(self.case, step, self.now)
        if step.partner is not Partner.MESSAGING:
            self.commands.append(command_for(self.case, step))
            self._answers(step)
        return True

    def _answers(self, step: Step) -> None:
        at_once = step.kind in MONEY or step.kind is RemedyKind.CARRIER_CLAIM
        answer = self.answers.get(step.kind, "done" if at_once else "accepted")
        if answer != "silent":
            outcome(self.case, Try.begin(self.case, step, self.now), self._outcome(answer), self.now)

    def _outcome(self, answer: Answer) -> CallOutcome:
        match answer:
            case "refused" | "over_limit":
                return Refused(f"partner: {answer}", over_limit=answer == "over_limit")
            case "down":
                return TryAgain("partner: down")
            case "unknown":
                return Unknown("timed out")
            case _:
                return Found(Receipt(reference=f"P-{len(self.commands)}", state=ReceiptState(answer)))

    def _delivers(self) -> bool:
        letter = next((x for x in self.case.letters if x.audience not in self.down), None)
        if letter is None:
            return False
        if letter.audience in self.closed:
            undeliverable(self.case, letter, "no such number", self.now)
            return True
        self.texts += rendered(self.case, letter)
        self.sent.append(letter)
        delivered(self.case, letter, self.now)
        return True

    # What came of it

    def promise(self, name: str) -> Promise:
        found = self.case.promise(name)
        assert found is not None, f"no promise {name}"
        return found

    def state(self, name: str) -> PromiseState:
        return self.promise(name).state

    def due(self, name: str) -> datetime:
        due = self.promise(name).due_at()
        assert due is not None
        return due

    @property
    def status(self) -> Status:
        return self.case.status

    @property
    def offer(self) -> Offer:
        assert self.case.offer is not None, "no offer was made"
        return self.case.offer

    @property
    def options(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The current offer: remedies by kind, by option."""
        return remedies_of(self.offer.options)

    @property
    def steps(self) -> dict[str, str]:
        return {step.id: step.state.value for step in self.case.steps}

    def step(self, step_id: str) -> Step:
        step = self.case.step(step_id)
        assert step is not None, f"no step {step_id}; there are {self.steps}"
        return step

    def letters(self, event: str) -> list[Letter]:
        """The letters of this kind that arrived."""
        return [letter for letter in self.sent if letter.event == event]

    @property
    def ladder(self) -> list[tuple[str, int, str]]:
        """Escalations in the order in which they were written: promise, rung, role."""
        return [(e.promise, e.rung, e.role.value) for e in self.case.escalations]

    def rungs(self, name: str) -> list[int]:
        return [rung for promise, rung, _ in self.ladder if promise == name]

    @property
    def paid(self) -> Decimal:
        return self.case.paid()


def open_case(  # noqa: PLR0913 (what a test may want to say of a complaint)
    topic: str = "transport.damage",
    *,
    received: datetime = START,
    opened_at: datetime | None = None,
    trail: Trail | None = None,
    installation: InstallationRecord | None = None,
    looked_up: bool = True,
    policy: Policy | None = None,
    down: set[Audience] | None = None,
    answers: dict[str, Answer] | None = None,
    **complaint: Any,
) -> World:
    """Return a case for a valid complaint; the partners have answered, and letters have been sent."""
    now = opened_at or received
    received_complaint = check_complaint(a_complaint(topic=topic, received_at=received.isoformat(), **complaint), now)
    policy = policy or in_force()[received_complaint.line]
    assert check_against(policy, received_complaint) == []
    world = World(opened(received_complaint, policy, now), now)
    world.down = set(down or ())
    world.answers = dict(answers or {})
    world.attend()
    if not world.case.looking_up:
        consider(world.case, now)
        world.attend()
    if looked_up:
        answers_by_name: dict[str, Any] = {"trail": trail, "installation": installation}
        for what in list(world.case.looking_up):
            world.finds(what, answers_by_name.get(what))
    return world


def a_complaint(**fields: Any) -> dict[str, Any]:
    """A complaint as it comes in; `order` is taken field by field."""
    order = {
        "order_id": "SO-88121",
        "amount": "12800.00",
        "freight": "300.00",
        "install_address": "1 Example Road",
        "items": [{"sku": "SLATE-9", "name": "Slate", "quantity": 4, "unit_price": "3125.00"}],
        **fields.pop("order", {}),
    }
    return {
        "case_id": "HL-1",
        "line": "building_materials",
        "topic": "transport.damage",
        "channel": "hotline",
        "received_at": START.isoformat(),
        "customer": {"name": "Wei Li", "phone": "13800000000"},
        "order": order,
        "description": "broken",
        "affected": [{"sku": "SLATE-9", "quantity": 1}] if order["items"] else None,
        **fields,
    }


def a_trail(**fields: Any) -> Trail:
    return Trail.model_validate({"state": TrailState.IN_TRANSIT, **fields})


def moved(at: datetime) -> list[TrailEvent]:
    """A trail's only scan."""
    return [TrailEvent(at=at, what="scanned")]


def late_by(days: int, **fields: Any) -> World:
    """A delay complaint whose parcel should have come `days` calendar days ago and is still moving."""
    return open_case(
        "transport.delay", trail=a_trail(promised_at=START - timedelta(days=days), events=moved(START)), **fields
    )


def remedies_of(options: list[Option]) -> dict[str, dict[str, dict[str, Any]]]:
    """Remedies by kind, by option, without what is not set."""
    return {
        option.key: {
            remedy.kind.value: remedy.model_dump(mode="json", exclude={"kind"}, exclude_defaults=True)
            for remedy in option.remedies
        }
        for option in options
    }


def snapshot(case: Case) -> dict[str, Any]:
    """The snapshot as others read it: JSON values."""
    return Snapshot.of(case).model_dump(mode="json")


ACK, DETAIL, DISPATCH, PROGRESS = (
    PromiseName.ACKNOWLEDGE,
    PromiseName.DETAILED_RESULT,
    PromiseName.DISPATCH,
    PromiseName.PROGRESS_UPDATE,
)
