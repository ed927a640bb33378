"""What each kind of remedy is: who carries it out, and whether it moves money or goods."""

from cases.vocabulary import Partner, RemedyKind

_K = RemedyKind


PARTNER_OF: dict[RemedyKind, Partner] = {
    **dict.fromkeys((_K.APOLOGY, _K.EXPLANATION, _K.ANSWER, _K.STOP_USE_NOTICE), Partner.MESSAGING),
    **dict.fromkeys((_K.REFUND, _K.FREIGHT_REFUND, _K.COMPENSATION, _K.COUPON, _K.CLAIM_PAYMENT), Partner.REFUNDS),
    **dict.fromkeys((_K.REPLACEMENT, _K.RESHIP, _K.TRANSFER, _K.SUBSTITUTE, _K.GIFT), Partner.WAREHOUSE),
    **dict.fromkeys((_K.COLLECTION, _K.CARRIER_CLAIM, _K.SEARCH), Partner.LOGISTICS),
    **dict.fromkeys(
        (_K.INSPECTION, _K.APPOINTMENT, _K.RECTIFICATION, _K.REINSTALLATION, _K.ONSITE_REPAIR), Partner.INSTALLATION
    ),
}
"""Which partner carries out which remedy (contract, *The snapshot*)."""


WORDS = frozenset({_K.APOLOGY, _K.EXPLANATION, _K.ANSWER})
"""Remedies that are only words: they cost nothing and any agent may promise them."""


MONEY = frozenset({_K.REFUND, _K.FREIGHT_REFUND, _K.COMPENSATION, _K.COUPON, _K.CLAIM_PAYMENT})
"""Remedies that move money; each has an amount."""


TO_SOURCE = frozenset({_K.REFUND, _K.FREIGHT_REFUND})
"""Money that goes back to where it came from: never more than was paid (S14)."""


PAYOUTS = MONEY - TO_SOURCE
"""Money that is paid beside what goes back: over all cases of an order within the policy's limit (S15)."""


SHIPMENTS = frozenset({_K.REPLACEMENT, _K.RESHIP, _K.TRANSFER, _K.SUBSTITUTE})
"""Remedies that send goods to the customer."""


GOODS = SHIPMENTS | {_K.COLLECTION}
"""Remedies that move goods; each names its items."""


MAKE_GOOD = SHIPMENTS | {_K.REFUND}
"""Remedies that make units of an order good: over all its cases no more than were bought (S35)."""


WITH_ITEMS = GOODS | {_K.REFUND}
"""Remedies that may name items."""


VISITS = frozenset({_K.INSPECTION, _K.APPOINTMENT, _K.RECTIFICATION, _K.REINSTALLATION, _K.ONSITE_REPAIR})
"""Remedies for which somebody goes to the customer."""
