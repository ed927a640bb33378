"""The ports over HTTP, as `docs/partners.openapi.json` describes it; what can go wrong is in `partners.transport`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from cases.partner_calls import (
    CallbackRequest,
    Contact,
    CustomerMessage,
    Delivery,
    DispatchRecord,
    InstallationRecord,
    LookUp,
    Receipt,
    StaffNotice,
    StepCommand,
    Trail,
)
from cases.reasons import Reason
from cases.vocabulary import Channel, Partner
from partners.ports import Callbacks, Installation, Logistics, Messaging, PartnerRefused, Refunds, TryAgain, Warehouse
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
    """One port per partner; `aclose` lets go of the connections behind them."""

    logistics: Logistics
    warehouse: Warehouse
    refunds: Refunds
    installation: Installation
    messaging: Messaging
    callbacks: Callbacks
    aclose: Callable[[], Awaitable[None]]


def http_partners(url: str, token: str | None, rendering: Rendering, *, timeout: float = 8.0) -> Partners:
    """All partners behind one address; `timeout` bounds each call as a whole, in seconds.

    Raises `InvalidInput` for an address or a token that cannot be one. Nothing is connected before the first call.
    """
    line = Line(url, token, timeout)

    def steps(partner: Partner) -> Connection:
        return Connection(line, partner)

    def idempotent(who: str) -> Connection:
        return Connection(line, who, unsure=TryAgain)

    return Partners(
        logistics=HttpLogistics(steps(Partner.LOGISTICS)),
        warehouse=HttpWarehouse(steps(Partner.WAREHOUSE)),
        refunds=HttpRefunds(steps(Partner.REFUNDS)),
        installation=HttpInstallation(steps(Partner.INSTALLATION)),
        messaging=HttpMessaging(idempotent(Partner.MESSAGING), rendering),
        callbacks=HttpCallbacks(idempotent("callbacks")),
        aclose=line.aclose,
    )


class _Steps:
    """A partner that carries out steps."""

    partner: ClassVar[Partner]

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def carry_out(self, command: StepCommand) -> Receipt:
        return await self._connection.command(f"{self.partner}/steps", command, command.key, Receipt)

    async def find(self, key: str) -> Receipt | None:
        return await self._connection.look_up(f"{self.partner}/steps", {"key": key}, Receipt)


class HttpRefunds(_Steps):
    """Payments."""

    partner = Partner.REFUNDS


class HttpLogistics(_Steps):
    """Carriers."""

    partner = Partner.LOGISTICS

    async def trail(self, what: LookUp) -> Trail | None:
        """The shipment's trail, if the carrier knows one."""
        return await self._connection.look_up("logistics/trail", what.model_dump(exclude_none=True), Trail)


class HttpWarehouse(_Steps):
    """The warehouse."""

    partner = Partner.WAREHOUSE

    async def dispatch_record(self, what: LookUp) -> DispatchRecord | None:
        """How the order left the warehouse, if it knows."""
        params = what.model_dump(include={"case_id", "order_id"})
        return await self._connection.look_up("warehouse/dispatch", params, DispatchRecord)


class HttpInstallation(_Steps):
    """Installers."""

    partner = Partner.INSTALLATION

    async def record(self, what: LookUp) -> InstallationRecord | None:
        """The order's installation, if there is one."""
        params = what.model_dump(include={"case_id", "order_id"})
        return await self._connection.look_up("installation/record", params, InstallationRecord)


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
