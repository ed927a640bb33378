"""The customer's page and its forms. Opening a page changes nothing, because mail scanners open every link."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from cases.errors import AfterSalesError
from cases.vocabulary import OfferState
from client.customer import access, photos
from web.customer import page
from web.customer.forms import form_of
from web.customer.page import Said, Typed
from web.customer.view import digits_of, offer_of, pays
from web.customer.visit import Visit
from web.pages.catalogue import marked
from web.service import Served

DECODED_AT_ONCE = 2
"""Photos that are decoded at a time: each may need 150 MB."""
MAX_UPLOAD = page.MAX_PHOTOS * photos.MAX_BYTES // 2
"""Bytes of a form with photos."""
MAX_KEPT = 60
"""Photos of one case that came through its page."""


class CustomerRoute(APIRoute):
    """A route whose errors are pages that a customer understands."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except (AfterSalesError, HTTPException) as error:
                return page.error_page(request, error)

        return answer


router = APIRouter(prefix="/c/{token}", include_in_schema=False, route_class=CustomerRoute)
_decoding = asyncio.Semaphore(DECODED_AT_ONCE)


@router.api_route("", methods=["GET", "HEAD"])
async def show(request: Request, service: Served, token: str) -> Response:
    """Show where the case stands, and what the customer can do."""
    visit = await Visit.begin(request, service, token)
    done = page.DONE.get(request.query_params.get("done", ""))
    return visit.shown(said=Said(visit.reader.text(done), "good") if done else None)


@router.post("/accept")
async def accept(request: Request, service: Served, token: str) -> Response:
    """Accept an option of the offer that was on the screen. A payment needs the last digits of the phone number."""
    form = await form_of(request)
    visit = await Visit.begin(request, service, token)
    offer_id, option = _text(form, "offer"), _text(form, "option")
    if any((o.id, o.accepted, o.state) == (offer_id, option, OfferState.ACCEPTED) for o in visit.seen.offers):
        return visit.done("accepted")  # the button was pressed twice
    if other := visit.not_current(offer_id):
        return other
    offer = offer_of(visit.seen)
    chosen = next((each for each in offer.options if each.key == option), None) if offer else None
    if chosen is None:
        return visit.again(marked("Please choose one of the options."))
    typed = Typed(option=option)
    if pays(chosen) and (refused := await _without_digits(visit, _text(form, "digits"), typed)):
        return refused
    return await visit.send("customer-approved", {"offer": offer_id, "option": option}, "accepted", typed)


@router.post("/decline")
async def decline(request: Request, service: Served, token: str) -> Response:
    """Decline the offer that was on the screen, with a reason."""
    form = await form_of(request)
    visit = await Visit.begin(request, service, token)
    offer_id, reason = _text(form, "offer"), _text(form, "reason").strip()[: page.MAX_TEXT]
    if any((o.id, o.state) == (offer_id, OfferState.DECLINED) for o in visit.seen.offers):
        return visit.done("declined")
    if other := visit.not_current(offer_id):
        return other
    if not reason:
        return visit.again(marked("Please write why it does not suit you."), fault="reason")
    payload = {"offer": offer_id, "reason": reason}
    return await visit.send("customer-declined", payload, "declined", Typed(reason=reason))


@router.post("/rate")
async def rate(request: Request, service: Served, token: str) -> Response:
    """Rate the result, from 1 to 5."""
    form = await form_of(request)
    visit = await Visit.begin(request, service, token)
    score, comment = _text(form, "score"), _text(form, "comment").strip()[: page.MAX_TEXT]
    typed = Typed(score=score, comment=comment)
    if score not in {"1", "2", "3", "4", "5"}:
        return visit.again(marked("Please choose a number from 1 to 5."), typed)
    return await visit.send("satisfaction-reported", {"score": int(score), "comment": comment}, "rated", typed)


@router.post("/photos")
async def send_photos(request: Request, service: Served, token: str) -> Response:
    """Add photos to the case. Each is encoded again before it is stored."""
    visit = await Visit.begin(request, service, token)
    form = await form_of(request, MAX_UPLOAD, page.MAX_PHOTOS)
    sent = [each for each in form.getlist("photos") if isinstance(each, UploadFile) and each.size]
    if not sent:
        return visit.again(marked("Please choose at least one photo."), fault="photos")
    kept = sum(evidence.uri.startswith(photos.SCHEME) for evidence in visit.seen.evidence)
    if kept + len(sent) > MAX_KEPT:
        return visit.again(marked("We have enough photos of this case. Thank you."), fault="photos", status=409)
    try:
        jpegs = [await _encoded_again(each) for each in sent]
    except photos.UnusablePhoto as error:
        return visit.again(page.PHOTO_FAULTS[error.why], fault="photos")
    folder, case_id = service.web.photos, visit.seen.case_id
    stored = [await asyncio.to_thread(photos.keep, folder, case_id, jpeg) for jpeg in jpegs]
    uris = dict.fromkeys(uri for uri, _ in stored)
    answer = await visit.send(
        "evidence-received", {"evidence": [{"kind": "photo", "uri": uri} for uri in uris]}, "photos"
    )
    if answer.status_code == page.REFUSED:
        for uri, is_new in stored:
            if is_new:  # the case does not refer to it
                await asyncio.to_thread(photos.discard, folder, uri)
    return answer


async def _encoded_again(upload: UploadFile) -> bytes:
    if (upload.size or 0) > photos.MAX_BYTES:
        raise photos.UnusablePhoto("too_large")
    async with _decoding:
        return await asyncio.to_thread(photos.encoded_again, await upload.read())


async def _without_digits(visit: Visit, digits: str, typed: Typed) -> Response | None:
    """Return the page if the last digits of the phone number are not right; None if they are."""
    expected = digits_of(visit.seen)
    if expected is None:
        return visit.again(marked("To accept a payment, please reply to our message."), typed)
    if not digits.strip():
        return visit.again(marked("Please enter the last four digits of your phone number."), typed, "digits")
    try:
        await access.check_digits(visit.service.store, visit.seen.case_id, expected, digits, visit.service.now())
    except access.WrongDigits:
        return visit.again(marked("These are not the last four digits of your phone number."), typed, "digits")
    except access.TooManyTries as error:
        return visit.locked(error.until)
    return None


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
