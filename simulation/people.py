"""What customers and agents do in a case. Agents do what the case says that it needs (`cases.views.needs`)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cases.entitlement.payout_limits import prepared_by
from cases.reasons import Reason
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.units import affected_of, price_of
from cases.views.need_view import NeedView
from cases.views.needs import needs
from cases.vocabulary import KeptWhen, RemedyKind, Status, StepState
from simulation.agenda import Agenda
from simulation.complaints import Truth
from simulation.draws import Draws
from simulation.played import Played
from simulation.scenario import MANAGERS, Scenario, Work
from simulation.staff import Person, Staff, Task

WORK: dict[str, Work] = {
    "finding_incomplete": "assess",
    "no_rule_fits": "assess",
    "offer_needed": "offer",
    "order_exhausted": "offer",
    "approval": "approve",
    "step_blocked": "resolve",
}
"""The kind of work for each kind of need of `cases.views.need_view` that an agent settles."""
NOT_CARRIED_OUT = frozenset({"step_replaced", "nothing_carried_out"})
"""Reasons for another offer: a partner could not carry out what was agreed."""
TRIES = 3
"""How often a step that a partner refuses is sent again before it is replaced."""
APOLOGY = [{"key": "apology", "remedies": [{"kind": RemedyKind.APOLOGY.value}]}]


class People:
    """The customer of one case, and the work that the case has for agents."""

    def __init__(  # noqa: PLR0913, PLR0917 (whom people meet)
        self, number: str, truth: Truth, scenario: Scenario, draws: Draws, agenda: Agenda, staff: Staff
    ) -> None:
        self._number = number
        self._truth = truth
        self._scenario = scenario
        self._draws = draws
        self._agenda = agenda
        self._staff = staff
        self._begun: set[object] = set()
        """What the customer has been asked, so that each is answered once."""
        self._tasks: dict[Work, Task] = {}
        """The work that waits for an agent or is in progress."""
        self._count = 0

    def act(self, played: Played) -> None:
        """Begin what people do after a change of the case."""
        if not played.over:
            self._customer(played)
        self._agents(played)

    # The customer

    def _customer(self, played: Played) -> None:
        case, terms = played.case, self._scenario.customers
        if self._first("withdraw") and self._draws.happens(terms.withdraw, self._number, "withdraw"):
            after = terms.withdraw_after.draw(self._draws, self._number, "withdraw after")
            self._agenda.at(self._agenda.now + after, lambda: self._says(played, "complaint-withdrawn", {}))
        if case.awaited and self._first("evidence") and self._draws.happens(terms.send_evidence, self._number, "sends"):
            evidence = [{"kind": kind.value, "uri": f"simulated://{kind}"} for kind in case.awaited]
            after = terms.evidence_after.draw(self._draws, self._number, "evidence after")
            self._agenda.at(
                self._agenda.now + after, lambda: self._says(played, "evidence-received", {"evidence": evidence})
            )
        if case.status is Status.AWAITING_CONSENT and (offer := case.offer) and self._first(offer.id):
            self._answer(played, offer.id, [option.key for option in offer.options])
        if case.status is Status.FOLLOWING_UP and self._first(("rating", case.cycle, case.callbacks)):
            name = (self._number, "rating", case.cycle, case.callbacks)
            if self._draws.happens(terms.rate, *name):
                score = self._draws.one_of(terms.scores, *name, "score")
                after = terms.rate_after.draw(self._draws, *name, "after")
                self._agenda.at(
                    self._agenda.now + after, lambda: self._says(played, "satisfaction-reported", {"score": score})
                )

    def _answer(self, played: Played, offer: str, options: list[str]) -> None:
        terms, name = self._scenario.customers, (self._number, offer)
        mood = self._draws.uniform(*name, "mood")
        if mood >= terms.accept + terms.decline:
            return
        if mood < terms.accept:
            option = self._draws.one_of(dict.fromkeys(options, 1.0), *name, "option")
            message, payload = "customer-approved", {"offer": offer, "option": option}
        else:
            message, payload = "customer-declined", {"offer": offer, "reason": "simulated"}
        after = terms.answer_after.draw(self._draws, *name, "after")
        self._agenda.at(self._agenda.now + after, lambda: self._says(played, message, payload))

    def _says(self, played: Played, message: str, payload: dict[str, Any]) -> None:
        if not played.over:
            played.receive(message, payload)

    def _first(self, what: object) -> bool:
        """Return whether this has not begun yet, and record it."""
        new = what not in self._begun
        self._begun.add(what)
        return new

    # Agents

    def _agents(self, played: Played) -> None:
        """Let the work wait that the case needs, and take back what it no longer needs."""
        wanted = _work(played.case)
        for kind, task in list(self._tasks.items()):
            if kind not in wanted and not task.begun:
                self._staff.withdraw(self._tasks.pop(kind))
        for kind in wanted:
            if kind not in self._tasks:
                # Before it is added: somebody may begin at once, which changes the case again.
                self._tasks[kind] = self._task(played, kind)
                self._staff.add(self._tasks[kind])

    def _task(self, played: Played, kind: Work) -> Task:
        case = played.case
        team, barred = case.team, frozenset[str]()
        if kind == "approve" and case.offer:
            team = MANAGERS if case.offer.over_limits else case.topic.audit or case.team
            barred = frozenset(prepared_by(case, case.offer, finding=bool(case.topic.audit)))
        self._count += 1
        dues = [due for promise in case.promises if promise.live and (due := promise.due_at())]
        return Task(
            kind=kind,
            team=team,
            urgent=case.urgent,
            due=min(dues, default=self._agenda.now),
            entered=self._agenda.now,
            takes=self._scenario.work[kind].draw(self._draws, self._number, kind, self._count),
            begin=lambda person: self._take_on(played, person),
            done=lambda person: self._done(played, kind, person),
            barred=barred,
        )

    def _take_on(self, played: Played, person: Person) -> None:
        """Become the owner of the case, if its customer was promised that it has one."""
        if _unassigned(played.case):
            played.receive("assign", {"owner": person.name, "by": person.name})

    def _done(self, played: Played, kind: Work, person: Person) -> None:
        """Send what the agent has decided, unless the case no longer needs it."""
        need = next((need for need in needs(played.case) if WORK.get(need.what) == kind), None)
        settled = need is None or any(
            played.receive(message, {**payload, "by": person.name})
            for message, payload in self._decisions(played, need)
        )
        # A task that did not settle its need remains begun, so that it is not begun again: a person would now think.
        if settled:
            self._tasks.pop(kind, None)
            self.act(played)

    def _decisions(self, played: Played, need: NeedView) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the messages with which an agent settles a need. The next one is sent if the case refuses one."""
        case = played.case
        match WORK[need.what]:
            case "assess":
                wanted = [
                    each.name for each in need.fields if each.required and each.name in PartialFinding.model_fields
                ]
                rejected = {} if self._truth.upheld or case.topic.answered_from else {"upheld": False}
                if found := self._truth.finding(wanted) | rejected:
                    yield "assess", found
            case "approve":
                yield "approve", {}
            case "resolve":
                step = next(step for step in case.steps if step.state is StepState.BLOCKED)
                action = "retry" if step.attempts < TRIES and not step.over_limit else "replace"
                yield "resolve-step", {"step": step.id, "action": action, "reason": "simulated"}
        if case.needs_offer and isinstance(case.needs_offer, Reason) and case.needs_offer.code in NOT_CARRIED_OUT:
            yield "propose", {"options": _price_of_affected(case)}
        else:
            yield "propose", {"options": next(way.example["options"] for way in need.ways if way.message == "propose")}
        yield "propose", {"options": APOLOGY}


def _price_of_affected(case: Case) -> list[dict[str, Any]]:
    """Return an offer of money in place of what no partner could carry out. A manager has to approve it."""
    order = case.complaint.order
    amount = price_of(order, affected_of(case.complaint, case.finding)) if order else Decimal(0)
    return [{"key": "money", "remedies": [{"kind": RemedyKind.REFUND.value, "amount": f"{amount:.2f}"}]}]


def _work(case: Case) -> list[Work]:
    """Return the kinds of work that the case has for agents."""
    deciding = case.status in (Status.ASSESSING, Status.AWAITING_APPROVAL)
    if deciding or any(step.state is StepState.BLOCKED for step in case.steps):
        found = dict.fromkeys(WORK[need.what] for need in needs(case) if need.what in WORK)
        if found:
            return list(found)
    return ["assign"] if _unassigned(case) else []


def _unassigned(case: Case) -> bool:
    return any(promise.live and promise.kept_by is KeptWhen.OWNER_NAMED for promise in case.promises)
