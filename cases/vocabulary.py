"""The terms of the rulebook and the contract, each defined once.

All names that other programs see (JSON, search attributes, messages) are defined here.
"""

from enum import StrEnum


class Channel(StrEnum):
    """The channel through which a complaint arrives (G1)."""

    HOTLINE = "hotline"
    EMAIL = "email"
    CHAT = "chat"
    SMS = "sms"
    WECHAT = "wechat"
    WEIBO = "weibo"
    WEBSITE = "website"
    APP = "app"


class Wish(StrEnum):
    """The customer's wish."""

    REPAIR = "repair"
    REPLACE = "replace"
    REFUND = "refund"
    CANCEL = "cancel"
    COMPENSATE = "compensate"
    APOLOGY = "apology"
    INFORMATION = "information"


class EvidenceKind(StrEnum):
    """A kind of evidence from a customer. A video also counts as a photo."""

    PHOTO = "photo"
    VIDEO = "video"
    INSPECTION_REPORT = "inspection_report"
    BATCH_NUMBER = "batch_number"
    PROOF_OF_VALUE = "proof_of_value"
    DOCUMENT = "document"


class Severity(StrEnum):
    """The severity of a damage or a defect."""

    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"


class Liable(StrEnum):
    """The party that is liable."""

    WAREHOUSE = "warehouse"
    DELIVERY = "delivery"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"


class Status(StrEnum):
    """The status of a case."""

    RECEIVED = "received"
    ASSESSING = "assessing"
    AWAITING_EVIDENCE = "awaiting_evidence"
    AWAITING_APPROVAL = "awaiting_approval"
    OFFERING = "offering"
    AWAITING_CONSENT = "awaiting_consent"
    EXECUTING = "executing"
    FOLLOWING_UP = "following_up"
    CLOSED = "closed"


class Outcome(StrEnum):
    """The outcome of a case (G9)."""

    SATISFIED = "satisfied"
    NEUTRAL = "neutral"
    UNREACHABLE = "unreachable"
    NO_RESPONSE = "no_response"
    WITHDRAWN = "withdrawn"
    INFORMED = "informed"
    REJECTED = "rejected"


class LinkKind(StrEnum):
    """The relation of another case, or another workflow, to a case (G12)."""

    FOLLOWS = "follows"
    """The case continues that closed case."""
    MERGED = "merged"
    """The case also handles that later complaint."""
    MERGED_INTO = "merged_into"
    """The case is handled by that case."""
    RELATED = "related"
    """Both cases are about the same matter, and each is handled separately."""
    CARRIER_CLAIM = "carrier_claim"


class PromiseState(StrEnum):
    """The state of a promise. A promise that is kept late stays broken."""

    OPEN = "open"
    PAUSED = "paused"
    KEPT = "kept"
    BROKEN = "broken"
    VOID = "void"


class OfferState(StrEnum):
    """The state of an offer."""

    AWAITING_APPROVAL = "awaiting_approval"
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REPLACED = "replaced"
    EXPIRED = "expired"


class StepState(StrEnum):
    """The state of a step."""

    WAITING = "waiting"
    RUNNING = "running"
    DISPATCHED = "dispatched"
    DONE = "done"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    WAIVED = "waived"


class Partner(StrEnum):
    """A partner that carries out remedies."""

    MESSAGING = "messaging"
    REFUNDS = "refunds"
    WAREHOUSE = "warehouse"
    LOGISTICS = "logistics"
    INSTALLATION = "installation"


CALLBACKS = "callbacks"
"""The name of the partner that asks customers whether they are satisfied. It carries out no remedies."""
PARTNERS = (*Partner, CALLBACKS)
"""The names of all partners."""


class RemedyKind(StrEnum):
    """A kind of remedy: something that we do or pay."""

    APOLOGY = "apology"
    EXPLANATION = "explanation"
    ANSWER = "answer"
    STOP_USE_NOTICE = "stop_use_notice"
    REFUND = "refund"
    FREIGHT_REFUND = "freight_refund"
    COMPENSATION = "compensation"
    COUPON = "coupon"
    CLAIM_PAYMENT = "claim_payment"
    REPLACEMENT = "replacement"
    RESHIP = "reship"
    TRANSFER = "transfer"
    SUBSTITUTE = "substitute"
    GIFT = "gift"
    COLLECTION = "collection"
    CARRIER_CLAIM = "carrier_claim"
    SEARCH = "search"
    INSPECTION = "inspection"
    APPOINTMENT = "appointment"
    RECTIFICATION = "rectification"
    REINSTALLATION = "reinstallation"
    ONSITE_REPAIR = "onsite_repair"


class Role(StrEnum):
    """The roles that are notified: the escalation ladder of G10, from the bottom up."""

    OWNER = "owner"
    TEAM_LEAD = "team_lead"
    MANAGER = "manager"
    DIRECTOR = "director"


class PromiseName(StrEnum):
    """The promises that the engine supports. Policies choose among them."""

    ACKNOWLEDGE = "acknowledge"
    DISPATCH = "dispatch"
    DETAILED_RESULT = "detailed_result"
    PROGRESS_UPDATE = "progress_update"
    SOLUTION = "solution"
    PRELIMINARY_PLAN = "preliminary_plan"
    MAKE_GOOD = "make_good"
    ASSIGN = "assign"
    RETURN_DECISION = "return_decision"
    RETURN_DONE = "return_done"
    CLAIM_DECISION = "claim_decision"
    CLAIM_PAID = "claim_paid"


class Starts(StrEnum):
    """The event at which a promise's clock starts. `documents`: the last requested document has arrived."""

    RECEIVED = "received"
    FINDING = "finding"
    CONSENT = "consent"
    DOCUMENTS = "documents"


class KeptWhen(StrEnum):
    """The event that keeps a promise."""

    CUSTOMER_REACHED = "customer reached"
    OFFER_DELIVERED = "offer delivered"
    PLAN_DELIVERED = "plan delivered"
    UPDATE_DELIVERED = "update delivered"
    OWNER_NAMED = "owner named"
    CREW_DISPATCHED = "crew dispatched"
    MADE_GOOD = "made good"
    """The goods have left. If none are sent, the return is booked; without a return, the money is paid."""
    ON_ITS_WAY = "on its way"
    """The goods have left, or the money is paid."""
    PAID = "paid"
    CARRIED_OUT = "carried out"


_P = PromiseName
KEPT_WHEN: dict[PromiseName, KeptWhen] = {
    _P.ACKNOWLEDGE: KeptWhen.CUSTOMER_REACHED,
    **dict.fromkeys((_P.DETAILED_RESULT, _P.SOLUTION, _P.RETURN_DECISION, _P.CLAIM_DECISION), KeptWhen.OFFER_DELIVERED),
    _P.PRELIMINARY_PLAN: KeptWhen.PLAN_DELIVERED,
    _P.PROGRESS_UPDATE: KeptWhen.UPDATE_DELIVERED,
    _P.ASSIGN: KeptWhen.OWNER_NAMED,
    _P.DISPATCH: KeptWhen.CREW_DISPATCHED,
    _P.MAKE_GOOD: KeptWhen.MADE_GOOD,
    _P.RETURN_DONE: KeptWhen.ON_ITS_WAY,
    _P.CLAIM_PAID: KeptWhen.PAID,
}
"""The event that keeps a promise of each name, unless the policy states another one."""
