"""The ports over HTTP, as `docs/partners.openapi.json` describes it; what can go wrong is in `partners.transport`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cases.look_ups import ROWS
from cases.partner_calls import (
    CallbackRequest,
    Contact,
    CustomerMessage,
    Delivery,
    LookUp,
    Receipt,
    StaffNotice,
    StepCommand,
    Wire,
)
from cases.policy.remedy_kinds import STEP_PARTNERS
from cases.reasons import Reason
from cases.vocabulary import Channel, Partner
from partners.ports import Callbacks, LookUps, Messaging, PartnerRefused, StepPartner, TryAgain
from partners.transport import Connection, Line
from partners.wire import OutgoingMessage, ToCustomer, ToStaff


class Text(Protocol):
    """A rendered message."""

    @property
    def subject(self) -> str:
        """Empty where the channel has none."""

    @property
    def body(self) -> str:
        """What the reader reads."""


@dataclass(frozen=True)
class Rendering:
    """How messages become text, and which channels reach a customer directly (G2)."""

    customer: Callable[[CustomerMessage], Text]
    staff: Callable[[StaffNotice, str], Text]
    direct_channels: frozenset[Channel]
    staff_locale: str = "zh-CN"


@dataclass(frozen=True)
class Partners:
    """The ports; `aclose` lets go of the connections behind them."""

    steps: Mapping[str, StepPartner]
    """By partner, each that carries out steps."""
    look_ups: LookUps
    messaging: Messaging
    callbacks: Callbacks
    aclose: Callable[[], Awaitable[None]]


def http_partners(url: str, token: str | None, rendering: Rendering, *, timeout: float = 8.0) -> Partners:
    """All partners behind one address; `timeout` bounds each call as a whole, in seconds.

    Raises `InvalidInput` for an address or a token that cannot be one. Nothing is connected before the first call.
    """
    line = Line(url, token, timeout)

    connections: dict[str, Connection] = {partner: Connection(line, partner) for partner in STEP_PARTNERS}

    def idempotent(who: str) -> Connection:
        return Connection(line, who, unsure=TryAgain)

    return Partners(
        steps={partner: HttpSteps(partner, connection) for partner, connection in connections.items()},
        look_ups=HttpLookUps(connections),
        messaging=HttpMessaging(idempotent(Partner.MESSAGING), rendering),
        callbacks=HttpCallbacks(idempotent("callbacks")),
        aclose=line.aclose,
    )


class HttpSteps:
    """A partner that carries out steps."""

    def __init__(self, partner: str, connection: Connection) -> None:
        self._path = f"{partner}/steps"
        self._connection = connection

    async def carry_out(self, command: StepCommand) -> Receipt:
        """Have it done, once per key."""
        return await self._connection.command(self._path, command, command.key, Receipt)

    async def find(self, key: str) -> Receipt | None:
        """What became of the command with this key."""
        return await self._connection.look_up(self._path, {"key": key}, Receipt)


class HttpLookUps:
    """What partners know of an order."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections

    async def look_up(self, name: str, what: LookUp) -> Wire | None:
        """At the address of the look-up's row."""
        row = ROWS[name]
        params = what.model_dump(exclude_none=True, exclude=None if row.by_parcel else {"tracking_no"})
        return await self._connections[row.partner].look_up(row.path, params, row.answer)


class HttpMessaging:
    """Messages, rendered here and delivered by the partner once per key: an unsure one is simply sent again."""

    def __init__(self, connection: Connection, rendering: Rendering) -> None:
        self._connection = connection
        self._rendering = rendering

    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """On the first route that is set up and that the customer has an address for (G2)."""
        channel = self._route(message)
        text = self._rendering.customer(message)
        outgoing = OutgoingMessage(
            key=message.key,
            case_id=message.case_id,
            event=message.event,
            audience="customer",
            channel=channel,
            to=ToCustomer(name=message.to.name, phone=message.to.phone, email=message.to.email),
            locale=message.to.locale,
            subject=text.subject,
            body=text.body,
        )
        return await self._connection.command("messages", outgoing, outgoing.key, Delivery)

    async def to_staff(self, notice: StaffNotice) -> Delivery:
        """To the role; the partner knows its channel (G10)."""
        text = self._rendering.staff(notice, self._rendering.staff_locale)
        outgoing = OutgoingMessage(
            key=notice.key,
            case_id=notice.case_id,
            event=notice.event,
            audience="staff",
            to=ToStaff(role=notice.role, team=notice.team, owner=notice.owner),
            locale=self._rendering.staff_locale,
            subject=text.subject,
            body=text.body,
        )
        return await self._connection.command("messages", outgoing, outgoing.key, Delivery)

    def _route(self, message: CustomerMessage) -> Channel:
        for channel in message.routes:
            if channel in self._rendering.direct_channels and _address(message.to, channel):
                return channel
        raise PartnerRefused(Reason.of("no_channel", tried=list(message.routes) or ["no channel"]))


def _address(to: Contact, channel: Channel) -> str | None:
    return to.email if channel is Channel.EMAIL else to.phone


class HttpCallbacks:
    """Calls and questionnaires."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, request: CallbackRequest) -> Delivery:
        """Have the customer asked (G8)."""
        return await self._connection.command("callbacks", request, request.key, Delivery)
