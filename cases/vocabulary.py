"""The words of the rulebook and of the contract, each spelled once.

Every name that another program may see (JSON, search attributes, messages) is defined here.
"""

from enum import StrEnum


class Channel(StrEnum):
    """Where a complaint comes in (G1)."""

    HOTLINE = "hotline"
    EMAIL = "email"
    CHAT = "chat"
    SMS = "sms"
    WECHAT = "wechat"
    WEIBO = "weibo"
    WEBSITE = "website"
    APP = "app"


class Wish(StrEnum):
    """What the customer wants."""

    REPAIR = "repair"
    REPLACE = "replace"
    REFUND = "refund"
    CANCEL = "cancel"
    COMPENSATE = "compensate"
    APOLOGY = "apology"
    INFORMATION = "information"


class EvidenceKind(StrEnum):
    """What a customer can show; a video serves as a photo."""

    PHOTO = "photo"
    VIDEO = "video"
    INSPECTION_REPORT = "inspection_report"
    BATCH_NUMBER = "batch_number"
    PROOF_OF_VALUE = "proof_of_value"
    DOCUMENT = "document"


class Severity(StrEnum):
    """How bad a damage or a defect is."""

    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"


class Liable(StrEnum):
    """Who is liable."""

    WAREHOUSE = "warehouse"
    DELIVERY = "delivery"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"


class Status(StrEnum):
    """Where a case stands."""

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
    """How a case ended (G9)."""

    SATISFIED = "satisfied"
    NEUTRAL = "neutral"
    UNREACHABLE = "unreachable"
    NO_RESPONSE = "no_response"
    WITHDRAWN = "withdrawn"
    INFORMED = "informed"
    REJECTED = "rejected"


class LinkKind(StrEnum):
    """How another case, or another workflow, belongs to a case (G12)."""

    FOLLOWS = "follows"
    """Takes that closed case up again."""
    MERGED = "merged"
    """Handles that later complaint as well."""
    MERGED_INTO = "merged_into"
    """Is handled by that case."""
    RELATED = "related"
    """Is about the same, and handled apart."""
    CARRIER_CLAIM = "carrier_claim"


class PromiseState(StrEnum):
    """Where a promise stands; kept late stays broken."""

    OPEN = "open"
    PAUSED = "paused"
    KEPT = "kept"
    BROKEN = "broken"
    VOID = "void"


class OfferState(StrEnum):
    """Where an offer stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REPLACED = "replaced"
    EXPIRED = "expired"


class StepState(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DISPATCHED = "dispatched"
    DONE = "done"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    WAIVED = "waived"


class Partner(StrEnum):
    """Who carries remedies out."""

    MESSAGING = "messaging"
    REFUNDS = "refunds"
    WAREHOUSE = "warehouse"
    LOGISTICS = "logistics"
    INSTALLATION = "installation"


class RemedyKind(StrEnum):
    """What we can do or pay."""

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
    """Who is notified: the ladder of G10, from the bottom up."""

    OWNER = "owner"
    TEAM_LEAD = "team_lead"
    MANAGER = "manager"
    DIRECTOR = "director"


class PromiseName(StrEnum):
    """The promises that the engine knows how to keep; policies choose among them."""

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
    """The event a promise's time runs from; `documents`: the last one that we asked for has arrived."""

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
    """The goods have left; with none to send, the return is booked; with neither, the money is paid."""
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
"""What keeps a promise of each name, where its policy does not say otherwise."""
