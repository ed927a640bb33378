"""Notifications over apprise, if a URL is configured for the channel or role; all others go to the messaging partner.

These channels have no idempotency keys. After a crash between sending and recording, a message arrives twice. It is
never lost, because a message that was not handed over is sent again.
"""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import apprise

from cases.errors import InvalidInput, Problem
from cases.partner_calls import Contact, CustomerMessage, Delivery, StaffNotice
from cases.vocabulary import Channel, Role
from messages import Text, render_customer, render_staff
from partners.ports import Messaging, TryAgain
from settings import ENTRY_NAME, Settings

SEND_TIMEOUT = 20.0
"""Seconds until a service that does not answer counts as failed. The activity's time-out must be longer."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_EXAMPLE = {"email": "customer@example.com", "phone": "13800000000", "name": "customer"}
_SEPARATORS = re.compile(r'[,;<>"\\]')
CUSTOMER_NOTIFY, STAFF_NOTIFY = "AFTER_SALES_CUSTOMER_NOTIFY", "AFTER_SALES_STAFF_NOTIFY"
_PHONE = frozenset({Channel.SMS, Channel.HOTLINE})

# Both libraries log recipients, messages and URLs with tokens. Our logs contain no personal data and no secrets.
for _name in ("apprise", "urllib3"):
    logging.getLogger(_name).propagate = False
    logging.getLogger(_name).addHandler(logging.NullHandler())


class AppriseMessaging:
    """The Messaging port over apprise. Messages without a configured URL go to `fallback` (G2, G10).

    The settings `customer_notify` and `staff_notify` are read once. Raises `InvalidInput` if one is invalid; the
    error names its key and never its URL, which contains credentials.
    """

    def __init__(self, settings: Settings, fallback: Messaging) -> None:
        problems = [*_customer_problems(settings.customer_notify), *_staff_problems(settings.staff_notify)]
        if problems:
            raise InvalidInput(problems)
        self._customer = settings.customer_notify
        self._staff = settings.staff_notify
        self._locale = settings.staff_locale
        self._fallback = fallback

    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """Send it on the first route that reaches this customer (G2). Routes without a URL belong to the partner.

        Raises `TryAgain` if the service does not accept it, and the errors of the partner.
        """
        for route in message.routes:
            if route not in self._customer:
                if _reachable(route, message.to):
                    break
                continue
            url = self._customer[route]
            if service := _filled(url, message.to):
                await _send(service, url, render_customer(message))
                return Delivery(reference=message.key, channel=route.value, at=datetime.now(UTC))
        return await self._fallback.to_customer(message)

    async def to_staff(self, notice: StaffNotice) -> Delivery:
        """Send it to the URL of the team's role, else to that of the role, else to the partner (G10).

        Raises `TryAgain` if the service does not accept it, and the errors of the partner.
        """
        url = self._staff.get(f"{notice.team}/{notice.role}") or self._staff.get(notice.role)
        if url is None or (service := _service(url)) is None:
            return await self._fallback.to_staff(notice)
        await _send(service, url, render_staff(notice, self._locale))
        return Delivery(reference=notice.key, channel=_scheme(url), at=datetime.now(UTC))


async def _send(service: apprise.NotifyBase, url: str, text: Text) -> None:
    sender = apprise.Apprise(asset=_asset())
    sender.add(service)
    accepted = await sender.async_notify(
        title=text.subject, body=text.body, body_format=apprise.NotifyFormat.TEXT, timeout=SEND_TIMEOUT
    )
    if not accepted:
        raise TryAgain(f"The notification service {_scheme(url)}://{_host(service)} did not accept the message.")


def _scheme(url: str) -> str:
    return url.partition("://")[0]


def _host(service: apprise.NotifyBase) -> str:
    # In the URLs of many services the host is a token. It is then left out.
    return str(service.host) if "host" in service.template_tokens else ""


def _asset() -> apprise.AppriseAsset:
    # The defaults would show the library's name as the sender, and links to its logo.
    return apprise.AppriseAsset(
        app_id="After-sales service", app_desc="", app_url="", image_url_mask="", image_url_logo=""
    )


def _service(url: str) -> apprise.NotifyBase | None:
    return apprise.Apprise.instantiate(url, asset=_asset())


def _filled(template: str, to: Contact) -> apprise.NotifyBase | None:
    """Return the service for one customer, or None if the customer has no usable address for it."""
    values = {
        # An address with separators is not used: it could smuggle in more recipients.
        "email": to.email if to.email and not _SEPARATORS.search(to.email) else None,
        "phone": to.phone if to.phone and not _SEPARATORS.search(to.phone) else None,
        "name": _SEPARATORS.sub(" ", to.name),
    }
    needed = _PLACEHOLDER.findall(template)
    if not all(values[name] for name in needed):
        return None
    service = _service(_PLACEHOLDER.sub(lambda match: quote(values[match[1]] or "", safe=""), template))
    return None if needed and getattr(service, "targets", None) == [] else service


def _reachable(route: Channel, to: Contact) -> bool:
    """Return whether the partner can use the route: the customer must have the address that it needs."""
    if route is Channel.EMAIL:
        return to.email is not None
    return route not in _PHONE or to.phone is not None


def _customer_problems(urls: Mapping[Channel, str]) -> list[Problem]:
    problems = []
    for channel, template in urls.items():
        unknown = set(_PLACEHOLDER.findall(template)) - set(_EXAMPLE)
        if unknown:
            text = f"has the placeholder {{{min(unknown)}}}; {{email}}, {{phone}} and {{name}} can be filled in"
            problems.append(Problem(field=CUSTOMER_NOTIFY, problem=f"{channel}: {text}"))
        elif _filled(template, Contact(**_EXAMPLE)) is None:
            problems.append(_invalid_url(CUSTOMER_NOTIFY, channel))
    return problems


def _staff_problems(urls: Mapping[str, str]) -> list[Problem]:
    problems = []
    for number, (key, url) in enumerate(urls.items(), start=1):
        if key.split("/")[-1] not in set(Role):
            named = key if ENTRY_NAME.fullmatch(key) else f"entry {number}"  # a misplaced URL is not quoted
            text = f"{named}: is not a role; use one of {', '.join(Role)}, or team/role"
            problems.append(Problem(field=STAFF_NOTIFY, problem=text))
        elif _service(url) is None:
            problems.append(_invalid_url(STAFF_NOTIFY, key))
    return problems


def _invalid_url(setting: str, key: str) -> Problem:
    problem = f"{key}: is not a URL that apprise understands; check its scheme, host and tokens"
    return Problem(field=setting, problem=problem)
