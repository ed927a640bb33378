"""Render the texts of events."""

from typing import Any

from cases.partner_calls import Contact, CustomerMessage, StaffNotice
from cases.vocabulary import Role
from messages import Text, render_customer, render_staff


def contact(locale: str = "en", name: str = "Wei Li") -> Contact:
    return Contact(name=name, phone="13800000000", locale=locale)


def to_customer(event: str, facts: dict[str, Any], locale: str = "en", name: str = "Wei Li") -> Text:
    return render_customer(
        CustomerMessage(key="k", case_id="C-1", event=event, to=contact(locale, name), routes=[], facts=facts)
    )


def to_staff(event: str, facts: dict[str, Any], locale: str = "en", *, urgent: bool = False) -> Text:
    notice = StaffNotice(
        key="k",
        case_id="C-1",
        event=event,
        role=Role.MANAGER,
        team="claims",
        owner="zhang.san",
        urgent=urgent,
        facts=facts,
    )
    return render_staff(notice, locale)
