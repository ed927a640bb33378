"""What a customer reads about their case: plain words for each part of its snapshot.

Nothing here is internal: no reasons, no names of staff, no offers that still need approval, no other case.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.policy.policy import Policy
from cases.policy.remedy_kinds import MONEY, WORDS
from cases.views.handling_view import OfferView, OptionView, PromiseView, StepView
from cases.views.snapshot import EntryView, Snapshot
from cases.vocabulary import EvidenceKind, LinkKind, OfferState, PromiseState, Status, StepState
from client.customer.access import last_digits
from messages import findings, reader_for
from messages.reader import offset
from web.customer import words
from web.pages.catalogue import marked
from web.pages.reader import Reader

UNNAMED = "—"
"""The name of an item of which the order states none."""
MAX_LINES = 30
"""How many promises, and how many events, a page shows: the latest."""


@dataclass(frozen=True)
class Line:
    """A line with its state: `kept`, `broken`, `paused`, `warned`, `void` or `calm` (components.html)."""

    text: str
    kind: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Choice:
    """An option of the offer."""

    key: str
    lines: list[str]
    pays: bool
    """Whether it pays money, so that the digits are asked for."""


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    at: datetime
    time: str
    text: str


@dataclass(frozen=True)
class CaseView:
    """Everything that the page shows."""

    case_id: str
    topic: str | None
    goods: str
    """What the complaint is about, such as `Slate × 1`; empty if it names no goods."""
    headline: str
    lead: str
    late: str | None
    """An apology for a promise that is overdue."""
    stages: list[tuple[str, str]]
    """Each with `done`, `now` or `later`."""
    found: str
    """What we established, in the words of the letter with the offer; empty before there was one."""
    offer: str | None
    """The id of the offer that can be answered now."""
    choices: list[Choice]
    chosen: Choice | None
    """The option that was accepted, until there are steps that carry it out."""
    asks_digits: bool
    can_decide_money: bool
    """Whether the case knows a phone number of which the customer can name the last digits."""
    awaited: str | None
    sends_photos: bool
    photos: int
    steps: list[Line]
    promises: list[Line]
    events: list[Event]
    rates: bool
    rated: int | None
    zone: str


def view_of(seen: Snapshot, policy: Policy | None, reader: Reader) -> CaseView:
    """Return what the page of a case shows to this reader. `policy` is the one in force; None: the line has none."""
    return _Page(seen, policy, reader).view()


def offer_of(seen: Snapshot) -> OfferView | None:
    """Return the offer that the customer can answer now."""
    offer = seen.offers[-1] if seen.offers else None
    is_open = offer is not None and offer.state == OfferState.OPEN and offer.consent_required
    return offer if is_open and seen.closed_at is None and not merged(seen) else None


def merged(seen: Snapshot) -> bool:
    """Return whether another case handles this one."""
    return any(link.kind == LinkKind.MERGED_INTO for link in seen.links)


def pays(option: OptionView) -> bool:
    """Return whether an option pays money."""
    return any(remedy.kind in MONEY for remedy in option.remedies)


def digits_of(seen: Snapshot) -> str | None:
    """Return the last digits of the customer's phone number, if there is one."""
    return last_digits(seen.complaint.customer.phone) if seen.complaint else None


class _Page:
    def __init__(self, seen: Snapshot, policy: Policy | None, reader: Reader) -> None:
        self._seen, self._policy, self._reader = seen, policy, reader
        order = seen.complaint.order if seen.complaint else None
        self._letters = reader_for(reader.locale, seen.policy.timezone, order.currency if order else "CNY")
        self._names = {item.sku: item.name for item in order.items if item.name != UNNAMED} if order else {}
        self._steps = {step.id: step for step in seen.steps}

    def view(self) -> CaseView:
        seen, offer = self._seen, offer_of(self._seen)
        choices = [self._choice(option) for option in offer.options] if offer else []
        steps = [self._step(step) for step in seen.steps if step.kind not in WORDS]
        is_open = seen.closed_at is None and not merged(seen)
        now = words.STAGE_OF.get(seen.status, 1)
        return CaseView(
            case_id=seen.case_id,
            topic=self._topic(),
            goods=self._goods(),
            headline=self._headline(offer),
            lead=self._lead(offer),
            late=self._late() if is_open else None,
            stages=[
                (self._(name), "done" if place < now else "now" if place == now else "later")
                for place, name in enumerate(words.STAGES)
            ],
            found=self._found(),
            offer=offer.id if offer else None,
            choices=choices,
            chosen=None if steps else self._chosen(),
            asks_digits=any(choice.pays for choice in choices),
            can_decide_money=digits_of(seen) is not None,
            awaited=self._things(seen.awaited) if is_open and seen.awaited else None,
            sends_photos=is_open and seen.line is not None,
            photos=sum(evidence.kind == EvidenceKind.PHOTO for evidence in seen.evidence),
            steps=steps,
            promises=[self._promise(each) for each in seen.promises if each.state != PromiseState.VOID][-MAX_LINES:],
            events=list(self._events())[-MAX_LINES:],
            rates=is_open and seen.status == Status.FOLLOWING_UP,
            rated=seen.satisfaction[-1].score if seen.satisfaction else None,
            zone=offset(self._reader.now.astimezone(self._letters.zone)),
        )

    def _(self, english: str) -> str:
        return self._reader.text(english)

    def _at(self, at: datetime) -> str:
        return self._letters.local_time(at.isoformat())

    def _topic(self) -> str | None:
        topic = self._policy.topics.get(self._seen.topic or "") if self._policy else None
        return self._reader.title(topic.title) if topic else None

    def _goods(self) -> str:
        complaint = self._seen.complaint
        if complaint is None or complaint.order is None:
            return ""
        about = complaint.affected if complaint.affected is not None else complaint.order.items
        items = [{"sku": item.sku, "quantity": item.quantity, "name": self._names.get(item.sku)} for item in about]
        return self._letters.goods(items) if items else ""

    def _found(self) -> str:
        """Return the finding. While an offer of this cycle is not decided, it is not final."""
        shown = [offer for offer in self._seen.offers if offer.state != OfferState.AWAITING_APPROVAL]
        if not shown or shown[-1].cycle != self._seen.cycle or shown[-1] is not self._seen.offers[-1]:
            return ""
        return findings(self._letters, self._seen.finding.model_dump(mode="json", exclude={"facts"}))

    # The first lines

    def _headline(self, offer: OfferView | None) -> str:
        seen = self._seen
        if merged(seen):
            return self._("We handle this together with another case")
        again = marked("We are looking into it again")
        usual = again if seen.cycle > 1 else marked("We are looking into it")
        if seen.status in (Status.OFFERING, Status.AWAITING_CONSENT) and offer is None:
            return self._(usual)
        return self._(words.HEADLINES.get(seen.status, usual))

    def _lead(self, offer: OfferView | None) -> str:
        seen = self._seen
        if merged(seen):
            return self._("You need not do anything here. You will hear from us about both together.")
        if seen.status == Status.CLOSED:
            return self._(words.ENDINGS.get(seen.outcome or "", ""))
        if offer is not None:
            return self._until(offer)
        if seen.status == Status.AWAITING_EVIDENCE and seen.awaited:
            asked = self._("To go on, we need {things}. Until then the time that we promised stands still.")
            return asked.format(things=self._things(seen.awaited))
        if seen.status == Status.FOLLOWING_UP:
            return self._("Everything that we agreed is done. Please tell us how satisfied you are.")
        return self._news()

    def _until(self, offer: OfferView) -> str:
        if offer.reply_by is None:  # from an earlier build
            return self._("Please choose what suits you.")
        return self._("Please choose by {time}.").format(time=self._at(offer.reply_by))

    def _news(self) -> str:
        """Return by when the customer hears from us."""
        due = self._next_due()
        if due is None:
            return self._("We will write to you as soon as there is news.")
        result = self._("You will have our result by {time}.")
        news = result if due.name in words.RESULTS else self._("You will hear from us by {time}.")
        return news.format(time=self._at(due.due_at) if due.due_at else "")

    def _next_due(self) -> PromiseView | None:
        running = [p for p in self._seen.promises if p.state == PromiseState.OPEN and p.due_at]
        results = [p for p in running if p.name in words.RESULTS]
        return min(results or running, key=lambda p: p.due_at or p.started_at, default=None)

    def _late(self) -> str | None:
        overdue = [p for p in self._seen.promises if p.state == PromiseState.BROKEN and p.kept_at is None]
        if not overdue:
            return None
        names = "、".join if self._reader.locale.startswith("zh") else ", ".join
        sorry = self._("We are late with what we promised: {what}. We are sorry. Those responsible have been notified.")
        return sorry.format(what=names(dict.fromkeys(self._letters.word(p.name, "promise") for p in overdue)))

    # Offer, evidence

    def _things(self, kinds: list[str]) -> str:
        return self._letters.listed(kinds, "evidence")

    def _choice(self, option: OptionView) -> Choice:
        return Choice(option.key, [self._remedy(each) for each in option.remedies], pays(option))

    def _chosen(self) -> Choice | None:
        accepted = [o for o in self._seen.offers if o.state == OfferState.ACCEPTED and o.consent_required]
        options = accepted[-1].options if accepted else []
        return next((self._choice(option) for option in options if option.key == accepted[-1].accepted), None)

    def _remedy(self, remedy: Any, **more: Any) -> str:
        shown = remedy.model_dump(mode="json", exclude_none=True, include={"kind", "amount", "items", "at_once"})
        items = [{**item, "name": self._names.get(item["sku"])} for item in shown.get("items", [])]
        text = self._letters.remedy({**shown, "items": items, **more})
        return text[:1].upper() + text[1:]

    # What we do, what we promised, what happened

    def _step(self, step: StepView) -> Line:
        reference = step.reference if step.state == StepState.DONE else None
        state = self._letters.state({"kind": step.kind, "state": step.state})
        kind = words.STEP_KINDS.get(step.state, "calm")
        return Line(self._remedy(step, reference=reference), kind, state[:1].upper() + state[1:])

    def _promise(self, promise: PromiseView) -> Line:
        name = self._letters.word(promise.name, "promise")
        name = name[:1].upper() + name[1:]
        due = self._("by {time}").format(time=self._at(promise.due_at)) if promise.due_at else ""
        match promise.state:
            case PromiseState.KEPT:
                done = self._("done {time}").format(time=self._at(promise.kept_at)) if promise.kept_at else ""
                return Line(name, "kept", self._("Kept"), " · ".join(filter(None, (due, done))))
            case PromiseState.BROKEN:
                done = self._("done {time}").format(time=self._at(promise.kept_at)) if promise.kept_at else ""
                return Line(name, "broken", self._("Late"), " · ".join(filter(None, (due, done))))
            case PromiseState.PAUSED:
                return Line(name, "paused", self._("Stands still"), self._("until we have what we asked you for"))
        return Line(name, "calm", self._("Running"), due)

    def _events(self) -> Iterator[Event]:
        for entry in self._seen.timeline:
            if text := self._event(entry):
                yield Event(entry.at, self._at(entry.at), text)

    def _event(self, entry: EntryView) -> str | None:
        if entry.what in words.EVENTS:
            return self._(words.EVENTS[entry.what])
        if entry.what in words.ASKED:
            kinds = [kind for kind in dict.fromkeys(entry.text.split(", ")) if kind in set(EvidenceKind)]
            return self._(words.ASKED[entry.what]).format(things=self._things(kinds)) if kinds else None
        step = self._steps.get(re.split("[:, ]", entry.text, maxsplit=1)[0])
        if entry.what not in words.STEP_EVENTS or step is None or step.kind in WORDS:
            return None
        state = self._letters.state({"kind": step.kind, "state": entry.what.removeprefix("step ")})
        return self._letters.words["format"]["progress"].format(remedy=self._remedy(step), state=state)
