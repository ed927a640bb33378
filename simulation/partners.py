"""Simulated partners: their answers to calls, their later reports, and what they know of an order."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from cases.partner_calls import (
    DispatchRecord,
    InstallationRecord,
    Payment,
    Receipt,
    ReceiptState,
    StepCommand,
    StepFinding,
    Trail,
    TrailEvent,
    TrailState,
    Wire,
)
from cases.policy.remedy_kinds import MONEY, PAYOUTS, ROWS
from cases.progress.call_outcomes import CallOutcome, Found, Refused, TryAgain, Unknown
from cases.reasons import Reason
from cases.vocabulary import Partner
from simulation.complaints import Truth
from simulation.draws import Draws
from simulation.scenario import PartnerTerms, Scenario

KEEP_TRYING = timedelta(hours=12)
"""How long a call is repeated while its partner is down (`workflows.sdk.options.STEP`)."""
Report = tuple[timedelta, ReceiptState, StepFinding | None]
"""When after the call, and what, a partner reports."""


class Partners:
    """The partners of one case. They carry out a key once."""

    def __init__(self, scenario: Scenario, draws: Draws, truth: Truth) -> None:
        self._terms: Mapping[Partner, PartnerTerms] = scenario.partners
        self._draws = draws
        self.truth = truth
        self._paid = Decimal(0)
        self.receipts: dict[str, Receipt] = {}
        """The latest receipt of each key that was carried out."""

    def terms(self, partner: Partner) -> PartnerTerms:
        """Return how a partner works."""
        return self._terms.get(partner) or PartnerTerms()

    def answers_at(self, partner: Partner, now: datetime) -> datetime | None:
        """Return when a call that begins now is answered. None: the partner is down until calling is given up."""
        back = self.terms(partner).back_at(now)
        return back if back - now < KEEP_TRYING else None

    def call(self, command: StepCommand) -> tuple[CallOutcome, list[Report]]:
        """Answer a call. Return what it comes to, and the reports that follow."""
        partner, key, terms, draws = ROWS[command.kind].partner, command.key, *self._of(command)
        if isinstance(command, Payment) and command.kind in PAYOUTS:
            amount = command.amount or Decimal(0)
            if command.limit is not None and self._paid + amount > command.limit:
                return Refused("the order's limit for payments besides refunds is used up", over_limit=True), []
            self._paid += amount
        if draws.happens(terms.refuses, key, "refuses"):
            return Refused(Reason.of("partner_says", who=partner, words="it cannot be done")), []
        state = ReceiptState.DONE if command.kind in MONEY else ReceiptState.ACCEPTED
        self.receipts[key] = Receipt(reference=f"SIM-{len(self.receipts) + 1}", state=state)
        reports = [] if state is ReceiptState.DONE else self._reports(command, terms)
        if draws.happens(terms.no_answer, key, "no answer"):
            return Unknown(Reason.of("no_answer", who=partner, seconds=8)), reports
        return Found(self.receipts[key]), reports

    def given_up(self, partner: Partner) -> CallOutcome:
        """Return the outcome of a call that was repeated for too long."""
        return TryAgain(Reason.of("busy", who=partner, http=503))

    def reached(self, key: str, state: ReceiptState, finding: StepFinding | None) -> None:
        """Record that a step has reached a state, so that the partner can be asked for it."""
        self.receipts[key] = self.receipts[key].model_copy(update={"state": state, "finding": finding})

    def report_is_lost(self, key: str, partner: Partner, state: ReceiptState) -> bool:
        """Return whether the report on a step does not arrive."""
        return self._draws.happens(self.terms(partner).report_lost, key, "lost", state)

    def _of(self, command: StepCommand) -> tuple[PartnerTerms, Draws]:
        return self.terms(ROWS[command.kind].partner), self._draws

    def _reports(self, command: StepCommand, terms: PartnerTerms) -> list[Report]:
        key, reports, at = command.key, list[Report](), timedelta()
        if self._draws.happens(terms.fails, key, "fails"):
            return [(terms.done_after.draw(self._draws, key, "done") / 2, ReceiptState.FAILED, None)]
        if terms.dispatched_after:
            at = terms.dispatched_after.draw(self._draws, key, "dispatched")
            reports.append((at, ReceiptState.DISPATCHED, None))
        done = max(at, terms.done_after.draw(self._draws, key, "done"))
        return [*reports, (done, ReceiptState.DONE, self._found(command))]

    def _found(self, command: StepCommand) -> StepFinding | None:
        match ROWS[command.kind].establishes:
            case "lost":
                return StepFinding(lost=self.truth.lost)
            case "severity":
                return StepFinding(severity=self.truth.severity)
        return None

    # What is known of an order

    def known_of(self, look_up: str) -> Wire | None:
        """Return a partner's record of the order. None: there is none."""
        truth, received = self.truth, self.truth.received_at
        if not truth.on_record:
            return None
        match look_up:
            case "trail":
                return _trail(truth, received)
            case "installation":
                return InstallationRecord(installer="crew 7", promised_at=received - timedelta(days=truth.days_late))
        return DispatchRecord(warehouse="north", dispatched_at=received - timedelta(days=truth.days_late + 2))


def _trail(truth: Truth, received: datetime) -> Trail:
    scanned = [TrailEvent(at=received - timedelta(hours=2), what="scanned")]
    if truth.lost:
        return Trail(state=TrailState.LOST, events=scanned, promised_at=received - timedelta(days=truth.days_late))
    if truth.moving:
        promised = received - truth.late
        return Trail(state=TrailState.IN_TRANSIT, events=scanned, promised_at=promised, cause="traffic")
    signed = received - timedelta(days=truth.days_since_delivery)
    return Trail(state=TrailState.SIGNED, promised_at=signed, delivered_at=signed)
