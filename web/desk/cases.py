"""One case: its page, the forms of its messages, and what happens when one is sent."""

import re
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from cases.errors import Refusal
from cases.inbox.messages import MESSAGES
from cases.views.need_view import MessageView, NeedView
from cases.views.snapshot import EntryView, Snapshot
from cases.vocabulary import EvidenceKind, RemedyKind
from client.errors import CaseOver, NoSuchCase
from client.reopening import late
from client.serving.reading import read_case
from web.desk import forms
from web.desk.access import AtWork, DeskRoute, Worker, check_origin, log
from web.desk.people import MESSAGE_NEEDS, May
from web.desk.presence import present
from web.desk.reading import clocks, granted, relied_on
from web.pages.reader import Reader, reader_of
from web.pages.rendering import page
from web.problems import Failed

router = APIRouter(
    prefix="/desk/cases", route_class=DeskRoute, include_in_schema=False, dependencies=[Depends(check_origin)]
)
CALL = "call"
"""The form after a call: a note, and whether the customer was reached."""
QUICK = ("assign", "note", "evidence-received", "mark-urgent", "complaint-withdrawn")
"""Messages that are always at hand. The others are in a list."""


class Here(NamedTuple):
    """A case that a person looks at."""

    worker: Worker
    seen: Snapshot
    as_of: datetime | None
    """None: the case as it is now. Otherwise when our database was written: no worker answers."""
    reader: Reader

    @property
    def version(self) -> str:
        """What a form that was shown now relies on, with the length of the timeline."""
        return f"{relied_on(self.seen)}-{len(self.seen.timeline)}"

    def is_current(self, version: str) -> bool:
        """Return whether nothing that a form relies on has changed since a version was shown."""
        return version.partition("-")[0] == relied_on(self.seen)

    @property
    def path(self) -> str:
        """The address of the case."""
        return f"/desk/cases/{self.seen.case_id}"

    def since(self, version: str) -> list[EntryView]:
        """Return the entries that the timeline has got since a version was shown."""
        _, _, known = version.rpartition("-")
        return self.seen.timeline[int(known) :] if known.isascii() and known.isdigit() else []

    @property
    def allowed(self) -> list[str]:
        """The messages that this person may send to this case."""
        if self.seen.closed_at is not None:
            return []
        return [name for name in MESSAGES if _may_send(self.worker, self.seen, name)]


async def _here(request: Request, case_id: str, worker: AtWork) -> Here:
    """Return a case that the person may see. One that they may not see is not found, like one that is not there."""
    service, person = worker.service, worker.session.person
    try:
        found = await read_case(service.engine, service.store, case_id)
    except NoSuchCase:
        raise Failed(404, "there is no such case, or it is not among yours") from None
    if not person.sees(found.snapshot.line, found.snapshot.owner.team):
        await log(service, worker.session, "see", found.snapshot.case_id, refused="not among theirs")
        raise Failed(404, "there is no such case, or it is not among yours")
    return Here(worker, found.snapshot, found.as_of, reader_of(request, service.now()))


AtCase = Annotated[Here, Depends(_here)]
"""The type of a route's parameter that receives the case of the address."""


def _may_send(worker: Worker, seen: Snapshot, name: str, payload: dict[str, Any] | None = None) -> bool:
    """Return whether the person may send this message. Whether the case accepts it is for the case to decide."""
    person = worker.session.person
    if not person.may(MESSAGE_NEEDS.get(name, May.HANDLE)):
        return False
    if name in ("approve", "reject"):
        waiting = [offer for offer in seen.offers if offer.state == "awaiting_approval"]
        return person.may(May.APPROVE) or not any(offer.over_limits for offer in waiting)
    if name == "resolve-step" and payload and payload.get("action") == "retry":
        # A retry of a payment that the order's limit refused is an approval: the case then requires a name.
        beyond = [
            way for way in _ways(seen, name) if _requires(way, "by") and way.example["step"] == payload.get("step")
        ]
        return person.may(May.APPROVE) or not beyond
    return True


def _requires(way: NeedView | MessageView, field: str) -> bool:
    return any(each.name == field and each.required for each in way.fields)


def _ways(seen: Snapshot, name: str) -> list[NeedView | MessageView]:
    """Return what the case needs for which this message is the answer."""
    asked = [need for need in seen.needs if isinstance(need, NeedView)]
    return [way for need in asked for way in need.ways if way.message == name]


def _form(seen: Snapshot, name: str, number: int = 0) -> forms.Form:
    """Return the form of a message, as the case needs it: `number` counts the needs with the same message."""
    ways = _ways(seen, name)
    form = forms.form_of(name, ways[number] if number < len(ways) else None)
    for each in form.fields:
        if each.kind == "text" and (values := _known_values(seen, each.name)):
            each.kind, each.values = "choice", values
    return form


def _known_values(seen: Snapshot, field: str) -> list[str]:
    """Return what an id in a message can be, for a list to choose from."""
    match field:
        case "step":
            return [step.id for step in seen.steps]
        case "promise":
            return list(dict.fromkeys(promise.name for promise in seen.promises))
        case "offer" | "approval":
            return [offer.id for offer in seen.offers]
        case "option":
            return [option.key for offer in seen.offers[-1:] for option in offer.options]
    return []


@router.get("/{case_id}")  # noqa: FAST003 (AtCase takes the case)
async def case_page(here: AtCase, done: str = "") -> Response:
    """Show a case."""
    service, seen = here.worker.service, here.seen
    numbers: Counter[str] = Counter()
    needed = [
        (need, [_numbered(here, way.message, numbers) for way in need.ways])
        for need in seen.needs
        if isinstance(need, NeedView)
    ]
    return page(
        "case.html",
        here.reader,
        here=here,
        seen=seen,
        person=here.worker.session.person,
        clocks=clocks(seen, here.reader.now),
        granted=granted(seen, service.policies, here.reader.now),
        policy=service.policies.get(seen.line or ""),
        needed=needed,
        quick=[name for name in QUICK if name in here.allowed],
        others=[name for name in here.allowed if name not in QUICK],
        once=uuid4().hex,
        done=done if done in MESSAGES or done == CALL else "",
        presence=present.others(here.seen.case_id, here.worker.session.person.name, here.reader.now),
        path=here.path,
        **_choices(seen),
    )


def _numbered(here: Here, name: str, numbers: Counter[str]) -> tuple[int, forms.Form, bool]:
    """Return the number and the form of a message that settles a need, and whether the person may send it."""
    number = numbers[name]
    numbers[name] += 1
    return number, _form(here.seen, name, number), name in here.allowed


@router.get("/{case_id}/pulse")  # noqa: FAST003 (AtCase takes the case)
async def pulse(here: AtCase, version: str = "") -> Response:
    """Show who else is here, and whether the case has changed since `version`."""
    changed = not here.is_current(version)
    return page(
        "pulse.html",
        here.reader,
        here=here,
        presence=present.others(here.seen.case_id, here.worker.session.person.name, here.reader.now),
        changed=changed,
        news=here.since(version) if changed else [],
        version=version,
    )


@router.get("/{case_id}/send/{name}")  # noqa: FAST003 (AtCase takes the case)
async def form_page(here: AtCase, name: str, need: int = 0) -> Response:
    """Show the form of a message."""
    _check_name(name)
    await _check_allowed(here, name)
    form = _call_form() if name == CALL else _form(here.seen, name, need)
    return _shown(here, name, form, need)


@router.post("/{case_id}/preview")  # noqa: FAST003 (AtCase takes the case)
async def preview(request: Request, here: AtCase) -> Response:
    """Show what the policy would grant if the form were sent."""
    form = _form(here.seen, "assess")
    payload = forms.filled(form, _fields(await request.form()), here.reader.zone)
    faulty = forms.find_faults(form, payload)
    facts = {name: value for name, value in payload.items() if name not in ("note", "occurred_at")}
    found = None if faulty else granted(here.seen, here.worker.service.policies, here.reader.now, facts)
    currency = here.seen.complaint.order.currency if here.seen.complaint and here.seen.complaint.order else None
    return page("preview.html", here.reader, granted=found, form=form, currency=currency)


@router.post("/{case_id}/send/{name}")  # noqa: FAST003 (AtCase takes the case)
async def send(request: Request, here: AtCase, name: str) -> Response:
    """Send a message to the case."""
    _check_name(name)
    given = _fields(await request.form())
    version, once = given.get("version", ""), given.get("once", "")[:64]
    need = int(given.get("need", "")) if re.fullmatch(r"\d{1,3}", given.get("need", "")) else 0
    if name == CALL:
        form = _call_form()
        payload = forms.filled(form, given, here.reader.zone)
        sent, payload = _after_call(payload)
    else:
        form, sent = _form(here.seen, name, need), name
        payload = forms.filled(form, given, here.reader.zone)
    worker, person = here.worker, here.worker.session.person
    await _check_allowed(here, sent, payload)
    checked = forms.Form(sent, form.fields)
    if forms.find_faults(checked, payload):
        form.refusal = checked.refusal
        return _shown(here, name, form, need, status=422)
    if not here.is_current(version):
        await log(worker.service, worker.session, sent, here.seen.case_id, refused="the case had changed")
        return _shown(here, name, form, need, status=409, changed_since=version)
    payload |= {"by": person.name, "message_id": f"desk-{once or uuid4().hex}"}
    try:
        await _deliver(here, sent, payload)
    except Refusal as error:
        await log(worker.service, worker.session, sent, here.seen.case_id, refused=str(error))
        form.refusal = str(error)
        return _shown(here, name, form, need, status=409)
    await log(worker.service, worker.session, sent, here.seen.case_id)
    return RedirectResponse(f"{here.path}?done={name}", 303)


async def _deliver(here: Here, name: str, payload: dict[str, Any]) -> None:
    service, case_id = here.worker.service, here.seen.case_id
    engine = await service.engine()
    try:
        await engine.send(case_id, name, payload)
    except (CaseOver, NoSuchCase):
        await late(engine, case_id, name, payload, service.now())


def _check_name(name: str) -> None:
    if name != CALL and name not in MESSAGES:
        raise Failed(404, "there is no such form")


async def _check_allowed(here: Here, name: str, payload: dict[str, Any] | None = None) -> None:
    """Raise `Failed` unless the person may send this message."""
    if not _may_send(here.worker, here.seen, "note" if name == CALL else name, payload):
        await here.worker.refuse(name, here.seen.case_id, f"may not send {name} to this case")


def _call_form() -> forms.Form:
    return forms.Form(
        CALL,
        [forms.FormField("text", "long", required=True), forms.FormField("reached", "yes_no", required=True)],
    )


def _after_call(payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the message for a call: the customer was reached (and a note), or a note alone."""
    if payload.get("reached") is True:
        return "contact-made", {"note": payload.get("text", "")}
    return "note", {"text": payload.get("text", "")}


def _fields(sent: FormData) -> dict[str, str]:
    """Return the fields of a form that are text. Files are not accepted here."""
    return {key: value for key, value in sent.multi_items() if isinstance(value, str)}


def _choices(seen: Snapshot) -> dict[str, Any]:
    """Return what the columns of lists in forms can be."""
    order = seen.complaint.order if seen.complaint else None
    skus = [(item.sku, f"{item.sku} · {item.name}") for item in order.items] if order else []
    return {"kinds": {"evidence": seen.awaited or list(EvidenceKind), "options": list(RemedyKind)}, "skus": skus}


def _shown(  # noqa: PLR0913 (a form can be shown again for several reasons)
    here: Here, name: str, form: forms.Form, need: int, *, status: int = 200, changed_since: str | None = None
) -> Response:
    return page(
        "form.html",
        here.reader,
        status,
        here=here,
        seen=here.seen,
        person=here.worker.session.person,
        name=name,
        form=form,
        need=need,
        stale=changed_since is not None,
        news=here.since(changed_since) if changed_since is not None else [],
        once=uuid4().hex,
        path=f"{here.path}/send/{name}",
        **_choices(here.seen),
    )
