"""The kinds of cases that are played: the complaint, and the messages that end the case without long timers.

A message is sent when the partners were handed what it answers: the agent answers the request to assess, the customer
answers the offer and the callback. So the engine is never polled.
"""

from dataclasses import dataclass, field
from typing import Any

from demo.complaints import complaint

AGENT, CUSTOMER = "agent 李娜", "customer 王芳"
ACKNOWLEDGED, TO_ASSESS, OFFER, CALLBACK, REPORT, WARNING = (
    "acknowledged", "needs_assessment", "offer", "callback", "report", "promise_warning"
)  # fmt: skip
"""Events that the messaging and callback partners are handed."""


@dataclass(frozen=True)
class Said:
    """A message to send once the partners were handed `after`. Commands are updates, facts are signals."""

    after: str
    message: str
    payload: dict[str, Any]
    command: bool = False


SATISFIED = Said(CALLBACK, "satisfaction-reported", {"score": 5, "by": CUSTOMER})
CONSENT = "customer-approved"


@dataclass(frozen=True)
class Shape:
    """One kind of case. The messages in `says` are sent in order."""

    name: str
    title: str
    topic: str
    description: str
    says: tuple[Said, ...] = (SATISFIED,)
    more: dict[str, Any] = field(default_factory=dict)

    def complaint(self, case_id: str, **more: Any) -> dict[str, Any]:
        """Return a new complaint about a new order."""
        return complaint(
            case_id=case_id,
            topic=self.topic,
            order_id=f"SO-{case_id}",
            description=self.description,
            **{**self.more, **more},
        )


def _agrees(option: str) -> Said:
    return Said(OFFER, CONSENT, {"option": option, "by": CUSTOMER})


_ASSESSED = Said(TO_ASSESS, "assess", {"severity": "moderate", "by": AGENT}, command=True)

DELAY_CHOICE = Shape(
    "delay_choice",
    "a week late: the customer chooses to cancel",
    "transport.delay",
    "一周了还没到，不想要了。",
    (_agrees("cancel"), SATISFIED),
    {"promised_days_ago": 7},
)
DAMAGE_REPLACED = Shape(
    "damage_replaced",
    "damage: assessed, agreed, replaced and collected",
    "transport.damage",
    "一块岩板裂了一道缝。",
    (_ASSESSED, _agrees("replace"), SATISFIED),
)
INSTALLATION_VISIT = Shape(
    "installation_visit",
    "loose screws: inspected and repaired on site",
    "installation.defect",
    "台面接缝大，螺丝松了。",
)
DELAY_ANSWERED = Shape(
    "delay_answered",
    "two days late: explained, with a gift, at once",
    "transport.delay",
    "说好前天到，还没到。",
    more={"promised_days_ago": 2},
)
ANOTHER_LINE = Shape(
    "another_line",
    "damage, of another line of business",
    "goods.damage",
    "大米袋子破了。",
    more={"line": "organic_food", "delivered_days_ago": 0.1},
)
"""Only opened, while the line of the other shapes is flooded."""
SHAPES = {shape.name: shape for shape in (DELAY_CHOICE, DAMAGE_REPLACED, INSTALLATION_VISIT, DELAY_ANSWERED)}
