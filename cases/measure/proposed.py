"""What a review proposes: a measure for one carrier, route, warehouse, crew, product or team (G13)."""

import hashlib
import json
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from cases.text import Identifier, Signature, Text


class Dimension(StrEnum):
    """What kind of thing a measure is about."""

    CARRIER = "carrier"
    ROUTE = "route"
    WAREHOUSE = "warehouse"
    CREW = "crew"
    PRODUCT = "product"
    TEAM = "team"


class Proposal(StrEnum):
    """What is proposed."""

    CHANGE_CARRIER = "change_carrier"
    CHANGE_ROUTE = "change_route"
    RETRAIN = "retrain"
    STOCK = "stock"
    POLICY = "policy"


class MeasureState(StrEnum):
    """The state of a measure. The last two states are final."""

    PROPOSED = "proposed"
    ADOPTED = "adopted"
    DONE = "done"
    DROPPED = "dropped"


OPEN_STATES = frozenset({MeasureState.PROPOSED, MeasureState.ADOPTED})


class Proposed(BaseModel):
    """A measure as it is proposed. It names no customer."""

    line: str
    dimension: Dimension
    subject: Identifier
    """The name of the carrier, route, warehouse, crew, product (its sku) or team."""
    proposal: Proposal
    figure: Identifier
    """The key of the figure of the review that the measure should move."""
    filters: Annotated[dict[str, str], Field(max_length=10)] = {}
    """What the figure is restricted to."""
    value: float | None = None
    """The value of the figure when the measure was proposed last; once adopted, it stays."""
    reason: Text

    def id_after(self, before: int) -> str:
        """Return the id of this measure, if `before` measures like it have ended. The same proposal has the same id."""
        like = json.dumps([self.line, self.dimension, self.subject, self.proposal, self.figure, before])
        return f"{self.dimension}-{hashlib.sha256(like.encode()).hexdigest()[:8]}"


class KnownMeasure(Proposed):
    """A measure in our database."""

    measure_id: str
    state: MeasureState
    proposed_at: AwareDatetime
    owner: Signature | None = None
    due_on: date | None = None
    """The last day on which it may be done, in the time zone of its line."""
    adopted_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    result: str | None = None
    """What was done, or why it was dropped."""
