"""Why something is as it is, as a fact: a code with parameters. Each language has its own sentence for it.

`str(reason)` is the English sentence, for snapshot and timeline. Notices render the code in the reader's language
(`messages`, words group `reason`). A plain string is a reason as well: words of a person, or of a case that began
before there were codes; it is shown as it stands.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

SENTENCES = {
    # Why an agent has to make another offer
    "declined": "the customer declined {offer}",
    "not_approved": "{offer} was not approved",
    "step_replaced": "{step} is to be replaced",
    "nothing_carried_out": "nothing of {offer} was carried out",
    "dissatisfied": "the customer is dissatisfied (score {score})",
    "contested_open": "{case} is open about the same order and topic",
    "second_complaint": "complaint {case} came about the same, and says more than was found",
    "contested_closed": "{case} closed as {outcome}, and the customer takes it up again",
    # Why an offer needs approval
    "grants_none": "{option}: the policy grants no {kind} here",
    "over_amount": "{option}: {kind} {amount} is over {limit}",
    "more_items": "{option}: {kind} of more than was found affected",
    "audit": "the {team} team decides on claims",
    # Why the order's ledger has no room for what is offered
    "units_left": "{option}: {count} × {sku} is more than the {left} left of the {bought} bought",
    "affected_left": "of the {count} × {sku} affected only {left} can still be made good ({bought} bought)",
    "refunds_left": "{option}: {kind} {amount} is more than the {limit} left of what was paid",
    "freight_left": "{option}: {kind} {amount} is more than the {limit} left of the order's freight",
    "payouts_left": "{option}: {amount} is more than the {limit} left of what may be paid beside refunds on the order",
    "taken_by": "{because}; taken by: {entries}",
    "entry": "{kind} in case {case}",
    "order_exhausted": "nothing that the policy grants is left on the order: {reasons}",
    # Why a step is blocked, or nobody knows whether it was done
    "partner_says": "{who} says: “{words}”",
    "partner_failed": "{who} could not do it",
    "partner_refused": "{who} refused with HTTP {http}",
    "forgotten": "{who} never heard of it, but may have forgotten: check by hand before trying again",
    "over_paid": (
        "{amount} cannot be refunded on order {order}: {paid} was paid, {taken} is refunded or reserved already"
    ),
    "over_kind": (
        "{amount} of {kind} is too much on order {order}: over all its cases {limit} may go back, "
        "{taken} is paid or reserved already"
    ),
    "over_limit": (
        "{amount} of {kind} is too much on order {order}: over all its cases {limit} may be paid beside refunds, "
        "{taken} is paid or reserved already"
    ),
    "over_units": (
        "{count} × {sku} cannot be made good on order {order}: {bought} bought, {gone} made good or reserved already"
    ),
    "approvable": "{because}; somebody who did not prepare it may approve it, by resolve-step with retry",
    "no_channel": "the customer cannot be reached ({tried}): no channel set up has an address for them",
    "no_header_carries": "{who} was not asked: no header can carry the key {key}",
    "no_answer": "{who} did not answer within {seconds} s",
    "connection_lost": "{who} dropped the connection before its answer was complete",
    "answered_http": "{who} answered HTTP {http}",
    "key_reused": (
        "{who} says that the key was used before for other content (HTTP {http}), so something was done under it "
        "already: compare its books with this step"
    ),
    "earlier_key": "{who} is asked what became of {key} before anything is sent under a new key",
    "later_try": "{key} is not used any more: try {number} of this step has begun already",
    "contradiction": "{who} says both that it was done and that it was not",
    "taken_back": "{who} had said that it was done, and now that it failed",
    "taken_back_because": "{who} had said that it was done, and now that it failed: “{words}”",
    "nonsense": "{who} answered nonsense: its HTTP {http} holds no {wanted}",
    "busy": "{who} is busy (HTTP {http})",
    "locked_out": "{who} does not let us in (HTTP {http}): check AFTER_SALES_PARTNERS_TOKEN",
    "not_there": "there is no partner at {address} (HTTP 404): check AFTER_SALES_PARTNERS_URL",
    "nothing_answers": "nothing answers at {address} ({words}): start the partners or set AFTER_SALES_PARTNERS_URL",
    # Why a step ended without being carried out
    "nothing_found": "nothing found within {within}",
    "case_ended": "the case ended as {outcome}",
    "handled_by": "{case} sees to it",
    "depends_on": "{step}, which it depends on, was waived",
}
"""The English sentence for each code. `messages/<locale>/words.yaml` has the others, with the same parameters."""

AMOUNTS = frozenset({"amount", "limit", "paid", "taken"})
"""Parameters that are amounts, as decimal strings; `currency` names their currency, where there is one."""
OVER_LIMITS = frozenset({"over_kind", "over_limit", "over_units"})
"""Codes with which an order's ledger refuses what somebody may approve (S15)."""
NAMES = frozenset({"kind", "outcome"})
"""Parameters that are names of the contract."""


class Reason(BaseModel):
    """One reason. `params` are JSON values; which ones a code has stands in `SENTENCES`."""

    model_config = ConfigDict(frozen=True)

    code: str
    params: dict[str, Any] = {}

    @classmethod
    def of(cls, code: str, **params: Any) -> "Reason":
        """The reason `code`; parameters that are None are left out, others become JSON values."""
        given = {name: as_fact(value) for name, value in params.items() if value is not None}
        return cls(code=code, params=given)

    def __str__(self) -> str:
        return english(self)


def is_approvable(reason: "Why") -> bool:
    """Whether it is an order's limit that refused a step, or a reason that rests on that: somebody may approve it."""
    if isinstance(reason, str):
        return False
    because = reason.params.get("because")
    return reason.code in OVER_LIMITS or (isinstance(because, dict) and is_approvable(Reason.model_validate(because)))


Why = Reason | str
"""A reason, or plain words: of a person, or from before there were codes."""


def english(reason: Why) -> str:
    """The English sentence of a reason; plain words as they are, a code that a newer version made spelled out."""
    if isinstance(reason, str):
        return reason
    currency = reason.params.get("currency")
    values = {name: _word(name, value, currency) for name, value in reason.params.items()}
    return filled(SENTENCES.get(reason.code, reason.code.replace("_", " ")), values)


def filled(sentence: str, values: dict[str, str]) -> str:
    """A sentence with its parameters; one that is missing leaves no gap."""
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
    """A reason, or a list with reasons in it, as the JSON that a letter's facts hold; anything else as it is."""
    if isinstance(value, list):
        return [as_fact(each) for each in value]
    return value.model_dump(mode="json") if isinstance(value, Reason) else value


def details_of(error: Exception) -> list[dict[str, Any]]:
    """What a failed activity says beside its sentence: the reason that `error` was raised with, if it was one."""
    return [as_fact(why) for why in error.args[:1] if isinstance(why, Reason)]
