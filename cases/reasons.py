"""Reasons as data: a code with parameters. Each language has its own sentence for a code.

`str(reason)` is the English sentence, for snapshot and timeline. Notices to staff have the sentence in the reader's
language (`messages`, group `reason` of `words.yaml`). A plain string is also a reason: a person wrote it, or a case
that is older than the codes. It is shown unchanged.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

SENTENCES = {
    # Why an agent has to make another offer
    "declined": "the customer declined {offer}",
    "not_approved": "{offer} was not approved",
    "step_replaced": "{step} is to be replaced",
    "nothing_carried_out": "no step of {offer} was carried out",
    "dissatisfied": "the customer is dissatisfied (score {score})",
    "contested_open": "{case} about the same order and topic is still open",
    "second_complaint": "complaint {case} about the same matter reports more than was found",
    "contested_closed": "{case} closed as {outcome}, and the customer has reopened it",
    # Why an offer needs approval
    "grants_none": "{option}: the policy grants no {kind} here",
    "over_amount": "{option}: {kind} {amount} is over {limit}",
    "more_items": "{option}: {kind} of more items than were found affected",
    "audit": "the {team} team decides on claims",
    # Why an offer exceeds what is left in the order's ledger
    "units_left": "{option}: {count} × {sku} is more than the {left} left of the {bought} bought",
    "affected_left": "of {count} × {sku} affected, only {left} can still be made good ({bought} bought)",
    "refunds_left": "{option}: {kind} {amount} is more than the {limit} left of what was paid",
    "freight_left": "{option}: {kind} {amount} is more than the {limit} left of the order's freight",
    "payouts_left": "{option}: {amount} is more than the {limit} left of what may be paid besides refunds on the order",
    "taken_by": "{because}; taken by: {entries}",
    "entry": "{kind} in case {case}",
    "order_exhausted": "nothing that the policy grants is left on the order: {reasons}",
    # Why a step is blocked, or its outcome is unknown
    "partner_says": "{who} says: “{words}”",
    "partner_failed": "{who} could not carry it out",
    "partner_refused": "{who} refused with HTTP {http}",
    "forgotten": "{who} does not know the request, but may have forgotten it: check there before you retry",
    "over_paid": (
        "{amount} cannot be refunded on order {order}: {paid} was paid, {taken} is refunded or reserved already"
    ),
    "over_kind": (
        "{kind} of {amount} is too much on order {order}: over all its cases {limit} may be refunded, "
        "{taken} is paid or reserved already"
    ),
    "over_limit": (
        "{kind} of {amount} is too much on order {order}: over all its cases {limit} may be paid besides refunds, "
        "{taken} is paid or reserved already"
    ),
    "over_units": (
        "{count} × {sku} cannot be made good on order {order}: {bought} bought, {gone} made good or reserved already"
    ),
    "approvable": "{because}; a person who did not prepare it can approve it: resolve-step with action retry",
    "no_channel": "the customer cannot be reached ({tried}): no configured channel has an address",
    "no_header_carries": "no request was sent to {who}: the key {key} is not valid in an HTTP header",
    "no_answer": "{who} did not answer within {seconds} s",
    "connection_lost": "the connection to {who} was lost before the answer was complete",
    "answered_http": "{who} answered HTTP {http}",
    "key_reused": (
        "{who} reports that the key was used before with other content (HTTP {http}), so something was done under it: "
        "compare its records with this step"
    ),
    "earlier_key": "{who} is asked about the earlier key {key} before anything is sent under a new one",
    "later_try": "{key} is no longer used: attempt {number} of this step has begun",
    "contradiction": "{who} reported both that it was done and that it was not",
    "taken_back": "{who} first reported that it was done, and now that it failed",
    "taken_back_because": "{who} first reported that it was done, and now that it failed: “{words}”",
    "nonsense": "{who} sent an invalid answer: its HTTP {http} contains no {wanted}",
    "busy": "{who} is busy (HTTP {http})",
    "locked_out": "{who} denies access (HTTP {http}): check AFTER_SALES_PARTNERS_TOKEN",
    "not_there": "there is no partner at {address} (HTTP 404): check AFTER_SALES_PARTNERS_URL",
    "nothing_answers": "nothing answers at {address} ({words}): start the partners or set AFTER_SALES_PARTNERS_URL",
    # Why a step ended without being carried out
    "nothing_found": "nothing found within {within}",
    "case_ended": "the case ended as {outcome}",
    "handled_by": "{case} handles it",
    "depends_on": "{step}, which it depends on, was waived",
}
"""The English sentence for each code. `messages/<locale>/words.yaml` has those of other languages."""

AMOUNTS = frozenset({"amount", "limit", "paid", "taken"})
"""Parameters that are amounts, as decimal strings. The parameter `currency`, if present, is their currency."""
OVER_LIMITS = frozenset({"over_kind", "over_limit", "over_units"})
"""Codes of refusals by an order's ledger that a person may override by approval (S15)."""
NAMES = frozenset({"kind", "outcome"})
"""Parameters that are names from the contract, such as `freight_refund`."""


class Reason(BaseModel):
    """One reason. `params` are JSON values; `SENTENCES` shows which ones a code has."""

    model_config = ConfigDict(frozen=True)

    code: str
    params: dict[str, Any] = {}

    @classmethod
    def of(cls, code: str, **params: Any) -> "Reason":
        """Return a reason with this code. Parameters that are None are left out; others become JSON values."""
        given = {name: as_fact(value) for name, value in params.items() if value is not None}
        return cls(code=code, params=given)

    def __str__(self) -> str:
        return english(self)


def is_approvable(reason: "Why") -> bool:
    """Return whether an order's limit refused a step, directly or as the cause, so that a person may approve it."""
    if isinstance(reason, str):
        return False
    because = reason.params.get("because")
    return reason.code in OVER_LIMITS or (isinstance(because, dict) and is_approvable(Reason.model_validate(because)))


Why = Reason | str
"""A reason, or plain text: written by a person, or older than the codes."""


def english(reason: Why) -> str:
    """Return the English sentence of a reason. Plain text is unchanged; an unknown code is spelled out."""
    if isinstance(reason, str):
        return reason
    currency = reason.params.get("currency")
    values = {name: _word(name, value, currency) for name, value in reason.params.items()}
    return filled(SENTENCES.get(reason.code, reason.code.replace("_", " ")), values)


def filled(sentence: str, values: dict[str, str]) -> str:
    """Return the sentence with its parameters filled in. A missing one leaves no gap."""
    return " ".join(sentence.format_map(_Known(values)).split())


class _Known(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def _word(name: str, value: Any, currency: str | None) -> str:
    if isinstance(value, dict) and "code" in value:
        return english(Reason.model_validate(value))
    if name == "amount":
        return f"{value} {currency or ''}".strip()
    if isinstance(value, list):
        return ", ".join(_word("", each, currency) for each in value)
    return str(value).replace("_", " ") if name in NAMES else str(value)


def as_fact(value: Any) -> Any:
    """Return a reason, or each reason in a list, as JSON for the facts of a notification; other values unchanged."""
    if isinstance(value, list):
        return [as_fact(each) for each in value]
    return value.model_dump(mode="json") if isinstance(value, Reason) else value


def details_of(error: Exception) -> list[dict[str, Any]]:
    """Return the reason with which `error` was raised, if any, as details for a failed activity."""
    return [as_fact(why) for why in error.args[:1] if isinstance(why, Reason)]
