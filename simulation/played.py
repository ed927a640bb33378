"""One case in memory. This module plays the part of the workflow: letters, calls to partners, alarms.

All decisions are those of `cases`. What `workflows` does after each change, `attend` does here in the same order.
A sample of cases goes through the real workflow as well, and must end alike (`tests/simulation/test_real_workflow.py`).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from cases.complaint import Complaint
from cases.contract import claim_workflow_id
from cases.entitlement.step_commands import command_for
from cases.errors import Refusal
from cases.inbox.receiving import receive
from cases.policy.policy import Policy
from cases.policy.remedy_kinds import CLAIMS
from cases.progress.alarms import Alarm, alarms, fire
from cases.progress.assessing import consider, consider_due
from cases.progress.call_outcomes import CallOutcome, Found, Then, Try, ask_earlier, earlier_found, outcome
from cases.progress.carrying_out import apply_receipt, claim_begun, not_done_before, started, take_status_requests
from cases.progress.closing import is_over
from cases.progress.delivery import delivered
from cases.progress.opening import open_case
from cases.progress.verification import account_read, looked_up
from cases.state.account import Account
from cases.state.case import Case
from cases.state.letter import Audience
from cases.state.step import Step
from cases.vocabulary import Partner
from simulation.agenda import Agenda
from simulation.partners import KEEP_TRYING, Partners, Report

NEVER_ENDS = 500
"""Changes that follow from one another without time passing. More would be a loop in the domain."""


class Said(NamedTuple):
    """A message that was applied."""

    at: datetime
    name: str
    payload: dict[str, Any]


class Played:
    """A case and its partners. `changed` is called after each change, so that people can act on it."""

    def __init__(
        self, case: Case, agenda: Agenda, partners: Partners, changed: Callable[["Played"], None] = lambda _: None
    ) -> None:
        self.case = case
        self.partners = partners
        self.said: list[Said] = []
        self.held: list[tuple[datetime, datetime]] = []
        """When letters waited for messaging: since when they could have been sent, and until when."""
        self._agenda = agenda
        self._changed = changed
        self._alarm: datetime | None = None
        self._held_since: datetime | None = None

    @classmethod
    def open(
        cls,
        complaint: Complaint,
        policy: Policy,
        agenda: Agenda,
        partners: Partners,
        changed: Callable[["Played"], None] = lambda _: None,
    ) -> "Played":
        """Open a case now, as the workflow does. Each case has an order of its own, so its account is empty (S35)."""
        account = Account() if complaint.order else None
        case = open_case(complaint, policy, agenda.now, account=account)
        case.rereads_account = True
        return cls(case, agenda, partners, changed)

    def begin(self) -> None:
        """Acknowledge the complaint, look the order up, and offer what follows from it."""
        case, now = self.case, self._agenda.now
        self._fire_due()
        wanted = list(case.looking_up)
        for what in wanted:
            looked_up(case, what, self.partners.known_of(what), now, fresh=True)
        if not wanted:
            consider(case, now)
        self.attend()

    def receive(self, name: str, payload: dict[str, Any]) -> bool:
        """Send a message to the case now. Return whether it was applied."""
        try:
            receive(self.case, name, payload, self._agenda.now)
        except Refusal:
            return False
        self.said.append(Said(self._agenda.now, name, payload))
        self.attend()
        return True

    def attend(self) -> None:
        """Begin what has become possible, until nothing is left (`AfterSalesCase._attend`)."""
        for _ in range(NEVER_ENDS):
            next_alarm = self._fire_due()
            if not (self._offer() or self._carry_out_next() or self._ask_after() or self._deliver()):
                break
        else:
            raise RuntimeError(f"{self.case.id} never comes to rest")
        self._set_alarm(None if self.over or next_alarm is None else next_alarm.at)
        self._changed(self)

    @property
    def over(self) -> bool:
        """Whether the case is closed and every letter was delivered."""
        return is_over(self.case)

    # Alarms

    def _fire_due(self) -> Alarm | None:
        """Fire all alarms that are due. Return the next one."""
        while (due := min(alarms(self.case), key=lambda alarm: alarm.at, default=None)) is not None:
            if due.at > self._agenda.now:
                break
            fire(self.case, due.name, self._agenda.now)
        return due

    def _set_alarm(self, at: datetime | None) -> None:
        if at != self._alarm:
            self._alarm = at
            if at is not None:
                self._agenda.at(at, lambda: self._ring(at))

    def _ring(self, at: datetime) -> None:
        if self._alarm == at:
            self._alarm = None
            self.attend()

    # Offers and letters

    def _offer(self) -> bool:
        if self.case.offer_due is None:
            return False
        if self.case.account is not None:
            account_read(self.case, Account())
        consider_due(self.case, self._agenda.now)
        return True

    def _deliver(self) -> bool:
        """Deliver a letter. While messaging is down, letters wait; callbacks have a service of their own."""
        now = self._agenda.now
        back = self.partners.terms(Partner.MESSAGING).back_at(now)
        for letter in self.case.letters:
            if back <= now or letter.audience is Audience.CALLBACK:
                delivered(self.case, letter, now)
                return True
            if self._held_since is None:
                self._held_since = now
                self._agenda.at(back, self._messaging_is_back)
        return False

    def _messaging_is_back(self) -> None:
        if self._held_since is not None:
            self.held.append((self._held_since, self._agenda.now))
        self._held_since = None
        self.attend()

    # Steps

    def _carry_out_next(self) -> bool:
        """Begin the next step that can begin."""
        case, now = self.case, self._agenda.now
        # Reservations in the order's ledger are released: no other case uses the order.
        case.unpaid.clear()
        step = next(iter(case.ready()), None)
        if step is None:
            return False
        started(case, step, now)
        if step.kind in CLAIMS:
            claim_begun(case, step, claim_workflow_id(case.id), now)
        elif step.partner is not Partner.MESSAGING and not self._done_before(step):
            self._call(step)
        return True

    def _done_before(self, step: Step) -> bool:
        """Ask, before a new key is used, whether the step was done under an earlier one (S25)."""
        attempt, now = step.attempts, self._agenda.now
        for number in range(step.number - 1, 0, -1):
            key = ask_earlier(self.case, step, number, now, shown=True)
            found = self.partners.receipts.get(key)
            if earlier_found(self.case, step, attempt, number, found, now) is Then.NOTHING:
                return True
        if step.number > 1:
            not_done_before(step, now)
        return False

    def _call(self, step: Step) -> None:
        """Call the partner; while it is down, the call is repeated until it answers, or for half a day."""
        tried, now = Try.begin(self.case, step, self._agenda.now), self._agenda.now
        answered = self.partners.answers_at(step.partner, now)
        if answered == now:
            self._send(tried)
        elif answered is None:
            self._agenda.at(now + KEEP_TRYING, lambda: self._answered(tried, self.partners.given_up(step.partner)))
        else:
            self._agenda.at(answered, lambda: self._send(tried, later=True))

    def _answered(self, tried: Try, result: CallOutcome) -> None:
        outcome(self.case, tried, result, self._agenda.now)
        self.attend()

    def _send(self, tried: Try, *, later: bool = False) -> None:
        case, step, now = self.case, tried.step, self._agenda.now
        command = command_for(case, step)
        result, reports = self.partners.call(command)
        then = outcome(case, tried, result, now)
        while then is Then.ASK:
            then = outcome(case, tried, Found(self.partners.receipts.get(command.key)), now)
        for report in reports:
            at = self.partners.terms(step.partner).back_at(now + report[0])
            self._agenda.at(at, self._reporting(step, command.key, report))
        if later:
            self.attend()

    def _reporting(self, step: Step, key: str, report: Report) -> Callable[[], None]:
        _, state, finding = report

        def happens() -> None:
            self.partners.reached(key, state, finding)
            if self.over or self.partners.report_is_lost(key, step.partner, state):
                return
            payload: dict[str, Any] = {"step": step.id, "key": key, "state": state.value, "by": step.partner.value}
            if finding:
                payload["finding"] = finding.model_dump(mode="json", exclude_defaults=True)
            self.receive("step-reported", payload)

        return happens

    def _ask_after(self) -> bool:
        """Ask partners for the steps whose report may be lost: daily, with the progress update."""
        if not self.case.ask_after:
            return False
        for step in take_status_requests(self.case):
            receipt = self.partners.receipts.get(step.key(self.case.id))
            if receipt is not None and not step.contested and not step.settled:
                apply_receipt(self.case, step, receipt, self._agenda.now)
        return True
