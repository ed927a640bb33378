"""Webhooks: where events are sent, what was sent, and sending it again."""

from datetime import timedelta
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cases.errors import InvalidInput, problems_of
from cases.text import NEW_INPUT
from cases.views.case_events import EventType
from client.serving.keys import WEBHOOKS
from client.webhooks.admin import Webhooks
from web.api import bodies
from web.api.access import Caller, lacking
from web.api.described import Described, answers
from web.api.examples import body, ref
from web.service import Served

router = APIRouter(prefix="/v1", tags=["webhooks"])
Result = TypeVar("Result")
WebhookId = Annotated[str, Path(description="The webhook's id", examples=["whk_abc"], pattern=r"^whk_[a-z0-9]{1,40}$")]
MAX_HOURS = 168
"""The longest time in which two secrets sign: a week."""


class NewWebhook(BaseModel):
    """Where events are to be sent, and which ones."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    url: Annotated[str, Field(max_length=2000)]
    types: Annotated[list[EventType], Field(max_length=len(EventType))] = []
    """Only events of these types; empty: all."""
    lines: Annotated[list[str], Field(max_length=100)] = []
    """Only cases of these lines; empty: all that the key covers."""


class Rotation(BaseModel):
    """How a secret is replaced."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    hours: Annotated[float, Field(ge=0, le=MAX_HOURS)] = 24
    """How long the old secret signs too."""


class Enabling(BaseModel):
    """How a webhook is enabled."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    from_now: bool = False
    """Whether to leave out the events that came while it was disabled."""


class Replay(BaseModel):
    """Which events to send again: by their ids, or all of a period."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    events: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=1000)] = []
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


RECEIVED = (NewWebhook, Rotation, Enabling, Replay)
"""The bodies of requests."""


class ShownWebhook(Described):
    """A webhook."""

    id: str
    url: str
    types: list[str]
    """Empty: all."""
    lines: list[str]
    """Empty: all."""
    disabled: str | None
    """Why it is disabled: `failing`, `gone` or `by hand`; null: it is enabled."""
    failing_since: AwareDatetime | None
    """When the failures began that have not ended yet."""
    waiting: int
    """The number of events that wait."""
    created_at: AwareDatetime


class NewSecret(Described):
    """A secret that signs events. It is shown only once."""

    id: str
    secret: str


class AddedWebhook(ShownWebhook):
    """A webhook, with its secret, which is shown only once."""

    secret: str


class AllWebhooks(Described):
    """All webhooks, oldest first."""

    webhooks: list[ShownWebhook]


class Pinged(Described):
    """What the receiver answered to a test event."""

    status: int | None
    error: str | None
    """Why it was not accepted; null: it was."""


class Replayed(Described):
    """How many events will be sent again."""

    events: int


class LoggedDelivery(Described):
    """One event that was sent, or is to be sent."""

    event: str
    type: str
    case_id: str | None
    state: str
    """`pending`, `delivered`, or `failed`: it was given up."""
    attempts: int
    last_at: AwareDatetime | None
    next_at: AwareDatetime | None
    status: int | None
    """Of the last answer."""
    error: str | None


class Log(Described):
    """The latest deliveries, the last one first."""

    deliveries: list[LoggedDelivery]


async def _webhooks(key: Caller, service: Served) -> Webhooks:
    if WEBHOOKS not in key.scopes:
        raise lacking(WEBHOOKS)
    return Webhooks.of(service.settings, service.store, key.lines)


Managed = Annotated[Webhooks, Depends(_webhooks)]
"""The webhooks that exist for a key with the scope."""
_BODY = (400, 408, 413, 415)


async def _given(request: Request, model: type[Result]) -> Result:
    """Return the body. Raises `InvalidInput` with every faulty field."""
    given = bodies.object_in(await bodies.read(request))
    try:
        return TypeAdapter(model).validate_python(given, context=NEW_INPUT)
    except ValidationError as error:
        raise InvalidInput(problems_of(error)) from None


@router.post(
    "/webhooks",
    operation_id="addWebhook",
    status_code=201,
    responses=answers(AddedWebhook, *_BODY, 422, status=201),
    openapi_extra=body(ref(NewWebhook.__name__), {"url": "https://example.com/events", "types": ["case.closed"]}),
)
async def add(request: Request, webhooks: Managed, service: Served) -> Response:
    """Add a webhook. It gets the events that are written from now on, signed with the secret in the answer."""
    given = await _given(request, NewWebhook)
    shown, secret = await webhooks.add(given.url, given.types, given.lines, known=service.policies)
    return JSONResponse({**shown, "secret": secret}, 201, {"location": f"/v1/webhooks/{shown['id']}"})


@router.get("/webhooks", operation_id="listWebhooks", responses=answers(AllWebhooks))
async def list_webhooks(webhooks: Managed) -> Response:
    """Return all webhooks. For a key that is bound to lines: those of its lines."""
    return JSONResponse({"webhooks": await webhooks.all()})


@router.get("/webhooks/{webhook_id}", operation_id="readWebhook", responses=answers(ShownWebhook, 404, 422))
async def read_one(webhook_id: WebhookId, webhooks: Managed) -> Response:
    """Return a webhook."""
    return JSONResponse(await webhooks.show(webhook_id))


@router.delete(
    "/webhooks/{webhook_id}",
    operation_id="removeWebhook",
    status_code=204,
    responses=answers(None, 404, 422, status=204),
)
async def remove(webhook_id: WebhookId, webhooks: Managed) -> Response:
    """Delete a webhook, with its log and the events that wait for it."""
    await webhooks.remove(webhook_id)
    return Response(status_code=204)


@router.post(
    "/webhooks/{webhook_id}/rotate",
    operation_id="rotateSecret",
    responses=answers(NewSecret, *_BODY, 404, 422),
    openapi_extra=body(ref(Rotation.__name__), {"hours": 24}),
)
async def rotate(webhook_id: WebhookId, request: Request, webhooks: Managed) -> Response:
    """Replace the secret. For some hours each event has two signatures."""
    given = await _given(request, Rotation)
    secret = await webhooks.rotate(webhook_id, timedelta(hours=given.hours))
    return JSONResponse({"id": webhook_id, "secret": secret})


@router.post("/webhooks/{webhook_id}/disable", operation_id="disableWebhook", responses=answers(ShownWebhook, 404, 422))
async def disable(webhook_id: WebhookId, webhooks: Managed) -> Response:
    """Send nothing more. Events are kept until it is enabled."""
    await webhooks.disable(webhook_id)
    return await read_one(webhook_id, webhooks)


@router.post(
    "/webhooks/{webhook_id}/enable",
    operation_id="enableWebhook",
    responses=answers(ShownWebhook, *_BODY, 404, 422),
    openapi_extra=body(ref(Enabling.__name__), {"from_now": False}),
)
async def enable(webhook_id: WebhookId, request: Request, webhooks: Managed) -> Response:
    """Send events again, also those that came while it was disabled."""
    given = await _given(request, Enabling)
    await webhooks.enable(webhook_id, from_now=given.from_now)
    return await read_one(webhook_id, webhooks)


@router.post("/webhooks/{webhook_id}/ping", operation_id="pingWebhook", responses=answers(Pinged, 404, 422))
async def ping(webhook_id: WebhookId, webhooks: Managed) -> Response:
    """Send a test event, and return what the receiver answered."""
    attempt = await webhooks.ping(webhook_id)
    return JSONResponse({"status": attempt.status, "error": attempt.error})


@router.post(
    "/webhooks/{webhook_id}/replay",
    operation_id="replayEvents",
    responses=answers(Replayed, *_BODY, 404, 422),
    openapi_extra=body(ref(Replay.__name__), {"since": "2026-11-22T09:00:00+08:00"}),
)
async def replay(webhook_id: WebhookId, request: Request, webhooks: Managed) -> Response:
    """Send events again that the webhook was sent before, with the same ids."""
    given = await _given(request, Replay)
    count = await webhooks.replay(webhook_id, given.events, given.since, given.until)
    return JSONResponse({"events": count})


@router.get("/webhooks/{webhook_id}/deliveries", operation_id="listDeliveries", responses=answers(Log, 404, 422))
async def deliveries(
    webhook_id: WebhookId,
    webhooks: Managed,
    state: Literal["pending", "delivered", "failed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Return the latest deliveries, the last one first."""
    return JSONResponse({"deliveries": await webhooks.log(webhook_id, limit, state)})
