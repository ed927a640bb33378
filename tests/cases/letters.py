"""What people read of a letter, in every language."""

from functools import cache

from cases.entitlement.step_commands import contact_of
from cases.partner_calls import CustomerMessage, StaffNotice
from cases.state.case import Case
from cases.state.letter import Audience, Letter
from cases.views.contact_channels import contact_channels
from messages import LOCALES, Text, render_customer, render_staff


def rendered(case: Case, letter: Letter) -> list[Text]:
    """What is read of a letter, in every language; `LOCALES` says in which order."""
    if letter.audience is Audience.STAFF:
        notice = case.notice(letter).model_dump_json()
        return [_to_staff(notice, locale) for locale in LOCALES]
    if letter.audience is Audience.CALLBACK:
        return []  # the callback service has its own texts
    message = CustomerMessage(
        key=letter.key(case.id),
        case_id=case.id,
        event=letter.event,
        to=contact_of(case),
        routes=contact_channels(case.complaint.channel),
        facts=letter.facts,
    )
    return [_to_customer(message.model_dump_json(), locale) for locale in LOCALES]


@cache
def _to_staff(notice: str, locale: str) -> Text:
    return render_staff(StaffNotice.model_validate_json(notice), locale)


@cache
def _to_customer(message: str, locale: str) -> Text:
    """As it crosses the port: through JSON. Many cases write the same letter, so each is rendered once."""
    parsed = CustomerMessage.model_validate_json(message)
    return render_customer(parsed.model_copy(update={"to": parsed.to.model_copy(update={"locale": locale})}))
