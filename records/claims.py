"""What a carrier pays is set against what we paid out; the claim outlives its case (B16)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from records.ledger import OrderLedger, exact
from records.tables import EntryState, claims, entries

NOTHING = Decimal("0.00")


class CarrierClaims(OrderLedger):
    """Table `claims`: one claim for each case that has one."""

    def record_claim(  # noqa: PLR0913 (a row has this many columns)
        self,
        case_id: str,
        order_id: str,
        carrier: str,
        state: str,
        *,
        claimed: Decimal,
        currency: str,
        recovered: Decimal = NOTHING,
        filed_at: datetime | None = None,
        closed_at: datetime | None = None,
    ) -> None:
        """Write down where the claim stands, whole, in place of what stood there.

        A claim that has `closed_at` no longer changes: an attempt that was given up may still arrive.
        """
        row = {
            "order_id": order_id,
            "carrier": carrier,
            "state": state,
            "currency": currency,
            "claimed": exact(claimed, "the amount claimed"),
            "recovered": exact(recovered, "the amount recovered"),
            "filed_at": filed_at,
            "closed_at": closed_at,
        }
        with self._writing() as connection:
            new = self._insert(claims).values(case_id=case_id, **row)
            connection.execute(
                new.on_conflict_do_update(claims.primary_key, set_=row, where=claims.c.closed_at.is_(None))
            )

    def claims(self) -> list[dict[str, Any]]:
        """Every claim by case id; `paid_out` is all that its case paid, `loss` is that less `recovered`."""
        paid = (
            select(entries.c.case_id, func.sum(entries.c.amount).label("paid_out"))
            .where(entries.c.state == EntryState.COMMITTED)
            .group_by(entries.c.case_id)
            .subquery()
        )
        query = select(claims, paid.c.paid_out).outerjoin(paid, paid.c.case_id == claims.c.case_id)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(claims.c.case_id)).mappings().all()
        found = [{**row, "paid_out": row["paid_out"] or NOTHING} for row in rows]
        return [{**row, "loss": row["paid_out"] - row["recovered"]} for row in found]
