"""Real channels to people: where an apprise URL is configured a message goes there, else to the messaging partner.

These channels know no idempotency keys: after a crash between sending and recording, a message arrives twice;
it is never lost, because what was not handed over is sent again.
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
"""Seconds until a service that does not answer counts as failed; the activity's own time-out must be longer."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_EXAMPLE = {"email": "customer@example.com", "phone": "13800000000", "name": "customer"}
_SEPARATORS = re.compile(r'[,;<>"\\]')
CUSTOMER_NOTIFY, STAFF_NOTIFY = "AFTER_SALES_CUSTOMER_NOTIFY", "AFTER_SALES_STAFF_NOTIFY"
_PHONE = frozenset({Channel.SMS, Channel.HOTLINE})

# They log recipients, messages and URLs with tokens; our logs carry no personal data and no secrets.
for _name in ("apprise", "urllib3"):
    logging.getLogger(_name).propagate = False
    logging.getLogger(_name).addHandler(logging.NullHandler())


class ApprisedMessaging:
    """The Messaging port over apprise, with another Messaging for whatever has no URL (G2, G10).

    `customer_notify` and `staff_notify` are read from the settings once; a fault in them raises `InvalidInput`
    that names the setting's key and never its URL, which holds credentials.
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
        """Send it on the first route that reaches this customer (G2); routes without a URL are the partner's.

        Raises `TryAgain` where the service does not take it, and whatever the partner raises.
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
        """Send it to the role's channel of that team, else to the role's (G10); without either, to the partner.

        Raises `TryAgain` where the service does not take it, and whatever the partner raises.
        """
        url = self._staff.get(f"{notice.team}/{notice.role}") or self._staff.get(notice.role)
        if url is None or (service := _service(url)) is None:
            return await self._fallback.to_staff(notice)
        await _send(service, url, render_staff(notice, self._locale))
        return Delivery(reference=notice.key, channel=_scheme(url), at=datetime.now(UTC))


async def _send(service: apprise.NotifyBase, url: str, text: Text) -> None:
    sender = apprise.Apprise(asset=_asset())
    sender.add(service)
    taken = await sender.async_notify(
        title=text.subject, body=text.body, body_format=apprise.NotifyFormat.TEXT, timeout=SEND_TIMEOUT
    )
    if not taken:
        raise TryAgain(f"The notification service {_scheme(url)}://{_host(service)} did not take the message.")


def _scheme(url: str) -> str:
    return url.partition("://")[0]


def _host(service: apprise.NotifyBase) -> str:
    # Many services keep a token where others have a host: then it is left out.
    return str(service.host) if "host" in service.template_tokens else ""


def _asset() -> apprise.AppriseAsset:
    # Without these, messages carry the library's name as their sender, and links to its logo.
    return apprise.AppriseAsset(
        app_id="After-sales service", app_desc="", app_url="", image_url_mask="", image_url_logo=""
    )


def _service(url: str) -> apprise.NotifyBase | None:
    return apprise.Apprise.instantiate(url, asset=_asset())


def _filled(template: str, to: Contact) -> apprise.NotifyBase | None:
    """The service for one customer; None where the customer has no such address, or apprise finds none in it."""
    values = {
        # An address stays one recipient: a list smuggled into it makes it unusable.
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
    """Whether the partner can use the route: it has channels of its own, but no address that we lack."""
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
            problems.append(_not_understood(CUSTOMER_NOTIFY, channel))
    return problems


def _staff_problems(urls: Mapping[str, str]) -> list[Problem]:
    problems = []
    for number, (key, url) in enumerate(urls.items(), start=1):
        if key.split("/")[-1] not in set(Role):
            named = key if ENTRY_NAME.fullmatch(key) else f"entry {number}"  # else it may be a URL in the wrong place
            text = f"{named}: is not a role; use one of {', '.join(Role)}, or team/role"
            problems.append(Problem(field=STAFF_NOTIFY, problem=text))
        elif _service(url) is None:
            problems.append(_not_understood(STAFF_NOTIFY, key))
    return problems


def _not_understood(setting: str, key: str) -> Problem:
    problem = f"{key}: is not a URL that apprise understands; check its scheme, host and tokens"
    return Problem(field=setting, problem=problem)
