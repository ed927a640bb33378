"""A case: the state of one complaint, and the basic changes to it.

Nothing here waits, sends or reads a clock: the caller passes `at`, and the workflow carries out letters and steps.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from cases.calendar import clock
from cases.complaint import Complaint, Evidence
from cases.look_ups import LookUps
from cases.money import Money
from cases.partner_calls import LookUp, StaffNotice
from cases.policy.pinned import PinnedPolicy
from cases.policy.policy import Topic
from cases.policy.remedy_kinds import MONEY, TO_SOURCE
from cases.reasons import Why, as_fact
from cases.state.account import Account
from cases.state.entries import Entry, Refused, Satisfaction, Seen
from cases.state.escalation import Escalation
from cases.state.finding import Finding, PartialFinding
from cases.state.letter import Audience, Letter, Subject
from cases.state.offer import Offer, Remedy
from cases.state.promise import Promise
from cases.state.second_complaint import TakenOver
from cases.state.status import allowed
from cases.state.step import Step
from cases.state.units import makes_good
from cases.vocabulary import (
    EvidenceKind,
    KeptWhen,
    LinkKind,
    OfferState,
    Outcome,
    RemedyKind,
    Role,
    Starts,
    Status,
    StepState,
)

ALL: frozenset[KeptWhen] = frozenset(KeptWhen)


class Case(BaseModel):
    """The state of one case. All of it is passed on when the workflow continues as new."""

    complaint: Complaint
    policy: PinnedPolicy
    opened_at: AwareDatetime
    status: Status = Field(default=Status.RECEIVED, frozen=True)
    """Read-only: `enter` changes it."""
    outcome: Outcome | None = None
    ending: Outcome | None = None
    """The outcome of the case once the steps that have begun are settled."""
    urgent: bool
    urgent_by_word: bool = False
    """Urgent because of a message or another complaint, not the policy. A move to another policy does not undo it."""
    team: str
    owner: str | None = None
    cycle: int = 1
    finding: Finding = Finding()
    look_ups: LookUps = LookUps()
    looking_up: list[str] = []
    promises: list[Promise] = []
    offers: list[Offer] = []
    steps: list[Step] = []
    escalations: list[Escalation] = []
    evidence: list[Evidence] = []
    awaited: list[EvidenceKind] = []
    """Evidence that the customer was asked for and has not sent yet (G11)."""
    asked_at: AwareDatetime | None = None
    reminded: bool = False
    satisfaction: list[Satisfaction] = []
    refused: list[Refused] = []
    timeline: list[Entry] = []
    links: list[dict[str, str]] = []
    second_complaints: list[TakenOver] = []
    """Other complaints that this case also handles (G12)."""
    unjudged: list[str] = []
    """The cases of second complaints that add to a finding made before: an agent has to assess them."""
    letters: list[Letter] = []
    """Letters that are queued for delivery."""
    letters_written: int = 0
    seen: Seen = {}
    """Fingerprints of the messages that were applied, by their id."""
    paces: dict[str, AwareDatetime] = {}
    """The rate limit's record for each message name (`cases.rate_limit`)."""
    ask_after: list[str] = []
    """Ids of the steps whose partner will be asked for their status."""
    unpaid: list[str] = []
    """Keys of payments that were reported as failed. Their reservations in the ledger have to be released (S15)."""
    disputed: list[str] = []
    """Keys of payments that a partner has reported both as made and as not made (S26, S27)."""
    vouched: dict[str, str] = {}
    """Payments that a person reported as done, as key → reporter. The partner may not have confirmed them (S13)."""
    needs_offer: Why | None = None
    """Why an agent has to make another offer; None if no agent has to."""
    paid_before: dict[RemedyKind, Money] = {}
    """The order's payments when this case was opened as a follow-up (G12). `account` replaces it."""
    account: Account | None = None
    """The order's account as last read. None in cases that older workers admitted (S35)."""
    rereads_account: bool = False
    """Whether the account is read again before the case makes an automatic offer (S35)."""
    projects: bool = False
    """Whether the case writes its row for lists. False in cases that older workers admitted."""
    offer_due: AwareDatetime | None = None
    """The time as of which to compute an offer, once the account has been read again (S35)."""
    exhausted: Why | None = None
    """Why nothing that the policy grants can be offered: the cases that have used it up (S35)."""
    last_word_at: AwareDatetime | None = None
    """The latest contact, apart from offers: an agent reached the customer, or the customer sent something (G5)."""
    shown_at: dict[EvidenceKind, AwareDatetime] = {}
    """When each kind of evidence first arrived, unless it came with the complaint (S32)."""
    silence_steps: int = 0
    callbacks: int = 0
    called_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None

    @property
    def id(self) -> str:
        """The complaint's id."""
        return self.complaint.case_id

    @property
    def topic(self) -> Topic:
        """The policy's terms for the complaint's topic."""
        return self.policy.topics[self.complaint.topic]

    @property
    def offer(self) -> Offer | None:
        """The current offer, which is the latest one."""
        return self.offers[-1] if self.offers else None

    @property
    def accepted(self) -> Offer | None:
        """The offer accepted in this cycle. If several were accepted, the last one, which replaced the others."""
        return next(
            (o for o in reversed(self.offers) if o.cycle == self.cycle and o.state is OfferState.ACCEPTED), None
        )

    @property
    def closing(self) -> bool:
        """Return whether the outcome is settled, so that only the report is left to send."""
        return self.outcome is not None

    @property
    def merged_into(self) -> str | None:
        """The older case that handles this complaint (G12)."""
        return next((link["case"] for link in self.links if link["kind"] == LinkKind.MERGED_INTO), None)

    @property
    def contested(self) -> bool:
        """Return whether another case about the matter is settled or open, and no agent has assessed this one (G12)."""
        judged = any(fact.source == "agent" for fact in self.finding.facts)
        return bool(self.needs_offer) and not self.offers and not judged

    def step(self, step_id: str) -> Step | None:
        """Return the step with this id, or None."""
        return next((s for s in self.steps if s.id == step_id), None)

    def promise(self, name: str) -> Promise | None:
        """Return the latest promise of this name, or None."""
        return next((p for p in reversed(self.promises) if p.name == name), None)

    def paid(self, kinds: frozenset[RemedyKind] = MONEY) -> Decimal:
        """Return the money for remedies of these kinds in all cases of the order: here, of the steps that count."""
        out = (s for s in self.steps if s.kind in kinds and s.counts)
        others = self.account.bookings if self.account else ()
        before = sum((b.amount for b in others if b.kind in kinds), Decimal(0))
        if self.account is None:
            before = sum((amount for kind, amount in self.paid_before.items() if kind in kinds), Decimal(0))
        return sum((s.remedy.amount or Decimal(0) for s in out), before)

    @property
    def refunded(self) -> Decimal:
        """The money that was refunded to its source, including refunds that are under way (S14)."""
        return self.paid(TO_SOURCE)

    @property
    def unsettled(self) -> list[Step]:
        """The steps that are neither done nor waived."""
        return [s for s in self.steps if not s.settled]

    def ready(self) -> list[Step]:
        """Return the steps that can begin now, because every step that they depend on is under way."""
        by_id = {s.id: s for s in self.steps}
        return [s for s in self.steps if s.state is StepState.WAITING and all(by_id[a].under_way for a in s.after)]

    def look_up(self) -> LookUp | None:
        """Return the request for the look-ups at partners, or None without an order."""
        order = self.complaint.order
        if order is None:
            return None
        return LookUp(case_id=self.id, order_id=order.order_id, tracking_no=order.tracking_no)

    # Status

    def enter(self, status: Status) -> None:
        """Change the status. Raise `RuntimeError` for a transition that is not in the table."""
        if not allowed(self.status, status):
            raise RuntimeError(f"{self.id} cannot go from {self.status} to {status}")
        self.__dict__["status"] = status  # the field is frozen, so that nothing else changes it

    # Timeline and letters

    def note(self, what: str, at: datetime, text: str = "", by: str | None = None) -> None:
        """Add a line to the timeline."""
        self.timeline.append(Entry(at=at, what=what, text=text, by=by))

    def add_letter(  # noqa: PLR0913 (a letter has as many parts)
        self,
        audience: Audience,
        event: str,
        facts: dict[str, Any],
        *,
        to: Role | None = None,
        team: str | None = None,
        about: Subject | None = None,
    ) -> None:
        """Queue a letter for delivery."""
        self.letters_written += 1
        letter = Letter(
            number=self.letters_written,
            audience=audience,
            event=event,
            cycle=self.cycle,
            facts={"case_id": self.id, "timezone": self.policy.timezone, "currency": self.currency, **facts},
            role=to,
            team=team,
            about=about,
        )
        self.letters.append(letter)

    def notify_staff(
        self, to: Role, event: str, about: Subject | None = None, to_team: str | None = None, **facts: Any
    ) -> None:
        """Queue a letter to a role in the case's team, or in `to_team`. It contains no personal data."""
        said = {name: as_fact(value) for name, value in facts.items()}
        self.add_letter(Audience.STAFF, event, {**self.staff_facts, **said}, to=to, team=to_team, about=about)

    @property
    def staff_facts(self) -> dict[str, Any]:
        """The facts that every letter to staff contains. No personal data."""
        order = self.complaint.order
        return {
            "line": self.complaint.line,
            "topic": self.complaint.topic,
            "topic_title": self.topic.title.model_dump(),
            "order_id": order.order_id if order else None,
            "urgent": self.urgent,
            "timezone": self.policy.timezone,
            "currency": self.currency,
        }

    def notify_customer(self, event: str, about: Subject | None = None, **facts: Any) -> None:
        """Queue a letter to the customer."""
        self.add_letter(Audience.CUSTOMER, event, {"topic_title": self.topic.title.model_dump(), **facts}, about=about)

    def notice(self, letter: Letter) -> StaffNotice:
        """Return the notice for a letter to staff, addressed to the case's current owner and team."""
        return StaffNotice(
            key=letter.key(self.id),
            case_id=self.id,
            event=letter.event,
            role=letter.role or Role.OWNER,
            team=letter.team or self.team,
            owner=self.owner if letter.team is None else None,
            urgent=self.urgent,
            facts=letter.facts,
        )

    @property
    def currency(self) -> str:
        """The order's currency."""
        return self.complaint.order.currency if self.complaint.order else "CNY"

    def add_evidence(self, evidence: list[Evidence]) -> None:
        """Add evidence that the case does not have yet."""
        self.evidence += [e for e in evidence if e not in self.evidence]

    def clock(self, at: datetime) -> str:
        """Return a time as text for people, in the time zone of the case's line."""
        return clock(at, self.policy.timezone)

    def add_to_finding(
        self, new: PartialFinding, source: str, at: datetime, by: str | None = None, *, binding: bool = False
    ) -> None:
        """Add the facts from one source to the finding. If `binding`, they also override a person's."""
        self.finding = self.finding.with_facts(new, source=source, at=at, by=by, binding=binding)
        if stated := new.known():
            said = ", ".join(f"{k} {v}" for k, v in stated.items() if k != "affected")
            self.note("found", at, f"{source}: {said}" if said else source, by)

    # Promises

    def begin_promises(self, starts: Starts, at: datetime, *, only: Collection[KeptWhen] = ALL) -> None:
        """Begin the promises that start at the event `starts`: each once per cycle, and again at each consent."""
        for rule in self.policy.promised(urgent=self.urgent):
            made = [p for p in self.promises if p.name == rule.name and p.cycle == self.cycle]
            again = starts is Starts.CONSENT and not any(p.live for p in made)
            if rule.starts is starts and not rule.complex and rule.kept_by in only and (again or not made):
                self.promises.append(Promise.of(rule, at, cycle=self.cycle, calendar=self.policy.working_days))

    def keep(self, event: KeptWhen, at: datetime, *, cycle: int | None = None) -> None:
        """Keep the promises that `event` keeps, as of `at`. The earliest fact counts (S32).

        `cycle` is the cycle of the fact; None means every cycle that had begun by `at`. Escalations that were due after
        `at` are kept, with a remark (S9).
        """
        for promise in self.promises:
            concerned = promise.kept_by is event and cycle in (None, promise.cycle)
            if not concerned or not (promise.live or at >= promise.started_at):
                continue
            before = promise.kept_at
            promise.keep(max(at, promise.started_at))
            if promise.kept_at and promise.kept_at != before:
                self._annotate(promise, promise.kept_at)

    def _annotate(self, promise: Promise, kept_at: datetime) -> None:
        """Add a remark to each escalation of a promise that was due after `kept_at`, because it was unnecessary."""
        alike = [p.started_at for p in self.promises if (p.name, p.cycle) == (promise.name, promise.cycle)]
        until = min((at for at in alike if at > promise.started_at), default=None)
        for escalation in self.escalations:
            same = escalation.promise == promise.name and escalation.cycle == promise.cycle
            mine = escalation.due_at >= promise.started_at and (until is None or escalation.due_at < until)
            if same and mine and escalation.due_at > kept_at:
                escalation.remark = f"had been carried out at {kept_at.isoformat()}, as was learnt later"

    # Steps

    def add_step(self, remedy: Remedy, offer_id: str, at: datetime) -> Step:
        """Add a step. Its id is its kind, followed by a number from the second step of that kind on."""
        taken = sum(s.kind is remedy.kind for s in self.steps)
        step = Step(
            id=remedy.kind if not taken else f"{remedy.kind}-{taken + 1}",
            kind=remedy.kind,
            remedy=remedy,
            cycle=self.cycle,
            offer=offer_id,
            since=at,
            added_at=at,
            makes_good=makes_good(self.complaint, self.finding, remedy),
        )
        self.steps.append(step)
        return step
