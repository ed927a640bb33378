"""The stories of the demo. Each is one case with its expected end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from demo.narrator import Narrator
from demo.play import Stage
from demo.stories import building_materials as slate
from demo.stories import every_line, express, fresh_food, infant_formula, organic_food


@dataclass(frozen=True)
class Story:
    """A title, numbered like its case, and the function that plays it."""

    title: str
    play: Callable[[Stage, Narrator], Awaitable[None]]


TOGETHER = [
    Story("1  Slate, scratched in transit (minor): a coupon and a repair on site", slate.minor_damage),
    Story("2  Slate, cracked in transit (moderate): replaced; the worker crashes meanwhile", slate.moderate_damage),
    Story("3  Slate, smashed in transit (severe): an offer declined, another accepted", slate.severe_damage),
    Story("4  Slate, two days late: an explanation and a gift, at once", slate.short_delay),
    Story("5  Slate, four days late: 1 % per day; the customer answers after a reminder", slate.delay),
    Story("6  Slate, seven days late: the customer chooses to cancel", slate.long_delay),
    Story("7  Slate, lost: refund and compensation, and a claim against the carrier", slate.loss),
    Story(
        "8  Loose screws: inspected and corrected; the customer is dissatisfied; corrected again", slate.loose_screws
    ),
    Story("9  An unsafe installation (urgent): inspected; a crew is sent at once", slate.unsafe_installation),
    Story("10 Out of stock: the step is blocked until a person resolves it", every_line.out_of_stock),
    Story("11 The customer withdraws the complaint", every_line.withdrawn),
    Story("12 The same complaint and the same message are sent twice", every_line.sent_twice),
    Story("13 The customer does not answer for seven days", every_line.silence),
    Story("14 Not justified; and an agent cannot approve their own offer", every_line.not_upheld),
    Story("15 Fresh food, broken eggs: a photo is requested twice, and the clock is paused", fresh_food.no_photo),
    Story("16 Fresh food, unsafe (urgent): a stop-use notice and a sample pick-up, at once", fresh_food.unsafe),
    Story(
        "17 Fresh food, an accident in transit: declared complex, a preliminary plan first", fresh_food.complex_accident
    ),
    Story("18 Infant formula: the call was answered in time; an opened tin cannot be returned", infant_formula.opened),
    Story("19 Infant formula, unopened: refunded, less the return freight", infant_formula.sealed),
    Story("20 Infant formula, a question in the chat: answered by an agent", infant_formula.question),
    Story(
        "21 Organic food, a return in the app: an owner is assigned, deadlines in working days",
        organic_food.returned_in_the_app,
    ),
    Story("22 Express, “where is my parcel?”: answered from the tracking history", express.where_is_it),
    Story("23 Express, a lost parcel: documents, search, claims team, payment", express.claim_for_loss),
]
ALONE = [
    Story(
        "24 The payment partner pays but does not answer: it is asked, and nothing is paid twice",
        every_line.lost_answer,
    ),
    Story("25 The messaging partner is down: a promise is broken and escalated", every_line.messaging_down),
]
"""Played one at a time, because a fault of a partner would affect other stories."""
