"""The message to the readers of a review: three sentences, and where the whole is (G13)."""

from collections.abc import Mapping
from pathlib import Path

from cases.partner_calls import StaffNotice
from cases.policy.policy import Policy
from cases.vocabulary import Role
from messages import LOCALES
from review.figures import Review
from review.texts import Words

EVENT = "review"
TEAM = "review"
"""`review/manager` in AFTER_SALES_STAFF_NOTIFY is the channel of this notice alone."""


def notice(review_id: str, review: Review, policies: Mapping[str, Policy], folder: Path) -> StaffNotice:
    """Return the notice to managers. Its key makes sure that it is delivered once."""
    by_locale = {locale: Words(locale, policies) for locale in LOCALES}
    said = {locale: words.three_sentences(review) for locale, words in by_locale.items()}
    names = ("decide", "kept", "satisfied")
    sentences = {name: {locale: said[locale][place] for locale in LOCALES} for place, name in enumerate(names)}
    return StaffNotice(
        key=review_id,
        case_id=review_id,
        event=EVENT,
        role=Role.MANAGER,
        team=TEAM,
        facts={
            "review_id": review_id,
            "line": review.line,
            "period": {locale: words.span(review) for locale, words in by_locale.items()},
            "folder": str(folder),
            **sentences,
        },
    )
