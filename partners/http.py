"""The ports over HTTP, as described in `docs/partners.openapi.json`. Errors are handled in `partners.transport`."""

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
from cases.vocabulary import CALLBACKS, Channel, Partner
from partners.ports import Callbacks, LookUps, Messaging, PartnerRefused, StepPartner, TryAgain
from partners.transport import Connection, PartnersApi
from partners.wire import OutgoingMessage, ToCustomer, ToStaff


class Text(Protocol):
    """A rendered message."""

    @property
    def subject(self) -> str:
        """The subject; empty for channels without one."""

    @property
    def body(self) -> str:
        """The text."""


@dataclass(frozen=True)
class Rendering:
    """How messages are rendered, and which channels reach a customer directly (G2)."""

    customer: Callable[[CustomerMessage], Text]
    staff: Callable[[StaffNotice, str], Text]
    direct_channels: frozenset[Channel]
    staff_locale: str = "zh-CN"


@dataclass(frozen=True)
class Partners:
    """The ports. `aclose` closes the connections behind them."""

    steps: Mapping[str, StepPartner]
    """The partners that carry out steps, by name."""
    look_ups: LookUps
    messaging: Messaging
    callbacks: Callbacks
    aclose: Callable[[], Awaitable[None]]


def http_partners(url: str, token: str | None, rendering: Rendering, *, timeout: float = 8.0) -> Partners:
    """Return the ports of all partners behind one address. `timeout` limits each call as a whole, in seconds.

    Raises `InvalidInput` for an invalid address or token. The first call opens the first connection.
    """
    api = PartnersApi(url, token, timeout)

    connections: dict[str, Connection] = {partner: Connection(api, partner) for partner in STEP_PARTNERS}

    def idempotent(who: str) -> Connection:
        return Connection(api, who, unsure=TryAgain)

    return Partners(
        steps={partner: HttpSteps(partner, connection) for partner, connection in connections.items()},
        look_ups=HttpLookUps(connections),
        messaging=HttpMessaging(idempotent(Partner.MESSAGING), rendering),
        callbacks=HttpCallbacks(idempotent(CALLBACKS)),
        aclose=api.aclose,
    )


class HttpSteps:
    """A partner that carries out steps."""

    def __init__(self, partner: str, connection: Connection) -> None:
        self._path = f"{partner}/steps"
        self._connection = connection

    async def carry_out(self, command: StepCommand) -> Receipt:
        """Have the step carried out, once per key."""
        return await self._connection.command(self._path, command, command.key, Receipt)

    async def find(self, key: str) -> Receipt | None:
        """Return the receipt of the step with this key, or None if the partner does not know the key."""
        return await self._connection.look_up(self._path, {"key": key}, Receipt)


class HttpLookUps:
    """Look-ups of an order at partners."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections

    async def look_up(self, name: str, what: LookUp) -> Wire | None:
        """Ask at the address in the look-up's row."""
        row = ROWS[name]
        params = what.model_dump(exclude_none=True, exclude=None if row.by_parcel else {"tracking_no"})
        return await self._connections[row.partner].look_up(row.path, params, row.answer)


class HttpMessaging:
    """Messages, rendered here and delivered by the partner once per key. If the outcome is unknown, they are resent."""

    def __init__(self, connection: Connection, rendering: Rendering) -> None:
        self._connection = connection
        self._rendering = rendering

    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """Send it on the first route that is configured and for which the customer has an address (G2)."""
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
        """Send it to the role. The partner knows the role's channel (G10)."""
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
    """Callbacks by phone or questionnaire."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, request: CallbackRequest) -> Delivery:
        """Have the customer asked whether they are satisfied (G8)."""
        return await self._connection.command("callbacks", request, request.key, Delivery)
