"""What happens in the demonstration: each story is one case, with the ending that it must have."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from demo.play import Stage
from demo.stories import building_materials as slate
from demo.stories import every_line, express, fresh_food, infant_formula, organic_food
from demo.telling import Teller


@dataclass(frozen=True)
class Story:
    """A title, numbered like its case, and how it is played."""

    title: str
    play: Callable[[Stage, Teller], Awaitable[None]]


TOGETHER = [
    Story("1  Slate, scratched in transit (minor): a coupon and a repair on site", slate.minor_damage),
    Story("2  Slate, cracked in transit (moderate): replaced; the worker crashes on the way", slate.moderate_damage),
    Story("3  Slate, smashed in transit (severe): an offer declined, another accepted", slate.severe_damage),
    Story("4  Slate, two days late: explained, and a gift, at once", slate.short_delay),
    Story("5  Slate, four days late: 1 % a day; the customer answers after a reminder", slate.delay),
    Story("6  Slate, seven days late: the customer chooses to cancel", slate.long_delay),
    Story("7  Slate, lost: refunded and compensated; the carrier is pursued", slate.loss),
    Story("8  Loose screws: inspected, put right, dissatisfied, put right again", slate.loose_screws),
    Story("9  An unsafe installation (urgent): inspected, the crew goes at once", slate.unsafe_installation),
    Story("10 Out of stock: the step blocks, a person resolves it", every_line.out_of_stock),
    Story("11 Withdrawn", every_line.withdrawn),
    Story("12 The same complaint, and the same message, sent twice", every_line.sent_twice),
    Story("13 Seven days of silence", every_line.silence),
    Story("14 Not upheld; and nobody approves their own offer", every_line.not_upheld),
    Story("15 Fresh food, eggs broken: the photo is asked for twice, and the clock stands still", fresh_food.no_photo),
    Story("16 Fresh food, unsafe (urgent): stop using it, and a sample fetched, at once", fresh_food.unsafe),
    Story("17 Fresh food, an accident on the way: declared complex, a plan first", fresh_food.complex_accident),
    Story("18 Infant formula: the call was picked up in time; an opened tin is not taken back", infant_formula.opened),
    Story("19 Infant formula, never opened: refunded, less the return freight", infant_formula.sealed),
    Story("20 Infant formula, a question in the chat: answered by a person", infant_formula.question),
    Story("21 Organic food, a return from the app: a named owner, and working days", organic_food.returned_in_the_app),
    Story("22 Express, “where is my parcel?”: answered from its trail", express.where_is_it),
    Story("23 Express, a parcel lost: documents, a search, the claims team, the payment", express.claim_for_loss),
]
ALONE = [
    Story("24 The payment partner pays and does not answer: asked, not paid twice", every_line.lost_answer),
    Story("25 The messaging partner is down: a promise breaks and climbs the ladder", every_line.messaging_down),
]
"""Played one at a time, because a partner's fault would reach the other stories."""
