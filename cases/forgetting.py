"""Forgetting a person: what is left of the record of a case when nobody may know any more who its customer was (G13).

Ids, names of rules, times, amounts and findings stay, so that every figure stays. What customers wrote, what identifies
them, and remarks about them are removed. Text of staff and partners stays, but without the customers' names, addresses
and numbers. A text whose field is not listed here is removed.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cases.text import same_name

Json = dict[str, Any]

REMOVED = frozenset({
    "customer.name", "complaint.description", "second_complaints.description", "satisfaction.comment", "timeline.text",
})  # fmt: skip
"""Fields that are emptied, as `object.field`."""
OPTIONAL = frozenset({
    "customer.phone", "customer.email", "order.install_address", "order.tracking_no", "second_complaints.withdrawn",
    "escalations.remark",
})  # fmt: skip
"""Fields that become null."""
LISTS_REMOVED = frozenset({"evidence", "needs"})
"""Lists that are emptied: references to photos and documents, and what a person had to do."""
MASKED = frozenset({
    "finding.cause", "facts.value", "facts.by", "steps.reason", "offers.over_limits", "offers.made_by", "refused.why",
    "refused.by", "refused.message", "timeline.by", "escalations.acknowledged_by", "owner.name",
})  # fmt: skip
"""Fields that staff or partners fill. What identifies a customer is masked in them."""
KEPT = frozenset({
    "affected.sku", "awaited", "case_id", "closed_at", "opened_at", "line", "order_id", "outcome", "status", "topic",
    "complaint.answered_at", "complaint.case_id", "complaint.channel", "complaint.follows", "complaint.line",
    "complaint.received_at", "complaint.topic", "complaint.wish", "customer.locale",
    "escalations.due_at", "escalations.promise", "escalations.role", "escalations.sent_at",
    "facts.at", "facts.field", "facts.source", "handled_by.carrier", "handled_by.installer", "handled_by.route",
    "handled_by.warehouse", "finding.goods_value", "finding.liable", "finding.severity",
    "items.name", "items.sku", "items.unit_price", "links.case", "links.kind", "links.workflow",
    "offers.accepted", "offers.delivered_at", "offers.id", "offers.made_at", "offers.reply_by", "offers.rule",
    "offers.state",
    "options.key", "order.amount", "order.carrier", "order.currency", "order.declared_value", "order.delivered_at",
    "order.freight", "order.goods_value", "order.order_id", "order.promised_at", "owner.team",
    "paid.compensation", "paid.coupon", "paid.refund", "policy.line", "policy.timezone", "policy.version",
    "promises.due_at", "promises.kept_at", "promises.name", "promises.rule", "promises.started_at", "promises.state",
    "promises.within", "refused.at", "refused.last_at", "remedies.amount", "remedies.kind",
    "remedies.max_amount", "satisfaction.at", "second_complaints.case", "second_complaints.channel",
    "second_complaints.received_at", "second_complaints.wish", "segments.ran_from", "segments.ran_until",
    "segments.why_stopped", "steps.amount", "steps.id", "steps.key", "steps.kind", "steps.offer", "steps.partner",
    "steps.reference", "steps.since", "steps.state", "steps.team", "timeline.at", "timeline.what",
})  # fmt: skip
"""Fields that stay: they name no customer."""
MASK = "…"
FEWEST_LETTERS = 2
"""Shorter names are only masked where they are the whole text."""
FEWEST_DIGITS = 7
"""The fewest digits of a telephone number."""
_MAIL_OR_NUMBER = re.compile(r"\S+@\S+|\+?(?!\d{4}-\d\d-\d\d\b)(?<!\d)\d(?:[ -]?\d){6,}")
"""A mail address, or seven or more digits that are not a date."""
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_ABROAD = re.compile(r"\s*(?:\+|00)")


class Person(NamedTuple):
    """Who is to be forgotten. None: any; at least one is given."""

    phone: str | None = None
    email: str | None = None

    def is_customer(self, customer: Mapping[str, Any] | None) -> bool:
        """Return whether this is the customer of a complaint: the same phone number or the same email."""
        known = customer or {}
        return (self.phone is not None and same_phone(self.phone, known.get("phone") or "")) or (
            self.email is not None and same_name(self.email) == same_name(known.get("email") or "")
        )


def same_phone(one: str, other: str) -> bool:
    """Return whether both are the same number. A country code may be missing in one of them.

    A number that merely ends with the other one is not the same: it may belong to somebody else.
    """
    digits, others = _digits(one), _digits(other)
    if min(len(digits), len(others)) < FEWEST_DIGITS:
        return False
    return digits == others or _is_abroad(one, other) or _is_abroad(other, one)


def _is_abroad(full: str, local: str) -> bool:
    """Return whether `full`, which begins with a country code of 1 to 3 digits, continues with the `local` number."""
    if not _ABROAD.match(full) or _ABROAD.match(local):
        return False
    digits, rest = _digits(full), _digits(local).removeprefix("0")
    return digits.endswith(rest) and 1 <= len(digits) - len(rest) <= 3  # noqa: PLR2004 (as above)


def _digits(phone: str) -> str:
    digits = _NOT_A_DIGIT.sub("", same_name(phone))
    return digits.removeprefix("00") if phone.strip().startswith("00") else digits


def customers_of(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the customers of a record (a snapshot as JSON), also those of complaints that were merged into it."""
    complaints = [record.get("complaint") or {}, *(record.get("second_complaints") or [])]
    return [complaint["customer"] for complaint in complaints if complaint.get("customer")]


def identifying(record: Mapping[str, Any]) -> list[str]:
    """Return the texts that identify the customers of a record, longest first."""
    order = (record.get("complaint") or {}).get("order") or {}
    found = {order.get("install_address"), order.get("tracking_no")}
    for customer in customers_of(record):
        found |= {customer.get(name) for name in ("name", "phone", "email")}
    return sorted(filter(None, found), key=lambda text: (-len(text), text))


def evidence_of(record: Mapping[str, Any]) -> list[str]:
    """Return where the evidence of a case is stored, each once: it has to be deleted there."""
    listed = [*(record.get("evidence") or []), *((record.get("complaint") or {}).get("evidence") or [])]
    return list(dict.fromkeys(each["uri"] for each in listed if each.get("uri")))


def forgotten(record: Json) -> Json:
    """Return the record (a snapshot as JSON) without its customers. Doing it twice changes nothing."""
    names = identifying(record)
    return {name: _without(value, "", name, names) for name, value in record.items()}


def _without(value: Any, parent: str, name: str, names: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, name, key, names) for key, each in value.items()}
    if isinstance(value, list):
        return [] if name in LISTS_REMOVED else [_without(each, parent, name, names) for each in value]
    if not isinstance(value, str):
        return value
    field = f"{parent}.{name}" if parent else name
    if field in KEPT:
        return value
    if field in OPTIONAL:
        return None
    return masked(value, names) if field in MASKED else ""


def masked(text: str, names: list[str]) -> str:
    """Return a text of staff or a partner without these names, and without mail addresses and long numbers."""
    for name in names:
        if same_name(text) == same_name(name):
            return MASK
        if len(name) >= FEWEST_LETTERS:
            text = re.sub(re.escape(name), MASK, text, flags=re.IGNORECASE)
    return _MAIL_OR_NUMBER.sub(MASK, text)
