"""Carrier claims: what the carrier paid, compared with what we paid out. A claim outlives its case (B16)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, update

from cases.reasons import Reason
from records.errors import LaterTry
from records.ledger import OrderLedger, exact
from records.tables import EntryState, claims, entries

NOTHING = Decimal("0.00")
PAID_OUT = func.sum(entries.c.amount).label("paid_out")
COMMITTED = entries.c.state == EntryState.COMMITTED
"""Entries that are only reserved have not been paid, and may never be."""


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
    ) -> Decimal:
        """Store the state of the claim, replacing the previous one. Return what its case has paid out.

        A claim with `closed_at` no longer changes: a delayed attempt of an earlier call may still arrive.
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
            paid: Decimal | None = connection.scalar(select(PAID_OUT).where(COMMITTED, entries.c.case_id == case_id))
            return paid or NOTHING

    def send_claim(self, case_id: str, key: str, number: int) -> bool:
        """Write down that the carrier is about to be sent the claim under `key`, its try `number`, counted from 1.

        Return whether it may have been sent under this key before. Raises `LaterTry` if a later key has been used: the
        claim was reset, and has forgotten it (S25).
        """
        with self._writing() as connection:
            found = select(claims.c.sent).where(claims.c.case_id == case_id).with_for_update()
            last: int | None = connection.scalar(found)
            if last is not None and last > number:
                raise LaterTry(Reason.of("later_try", key=key, number=last))
            connection.execute(update(claims).where(claims.c.case_id == case_id).values(sent=number))
        return last == number

    def claims(self) -> list[dict[str, Any]]:
        """Return every claim by case id. `paid_out` is all that its case has paid; `net` is `recovered` minus that."""
        paid = select(entries.c.case_id, PAID_OUT).where(COMMITTED).group_by(entries.c.case_id).subquery()
        query = select(claims, paid.c.paid_out).outerjoin(paid, paid.c.case_id == claims.c.case_id)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(claims.c.case_id)).mappings().all()
        found = [{**row, "paid_out": row["paid_out"] or NOTHING} for row in rows]
        return [{**row, "net": row["recovered"] - row["paid_out"]} for row in found]
