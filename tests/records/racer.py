"""A process that refunds 1.00 of one order repeatedly: `racer.py URL CASE TIMES`; prints how often it was allowed.

It prints `ready` once its records are open, and starts when it reads a line.
"""

import sys
from decimal import Decimal

from cases.vocabulary import RemedyKind
from records import OverPaid, Records


def main(url: str, case_id: str, times: int) -> None:
    records = Records(url)
    print("ready", flush=True)  # noqa: T201 (the test reads it)
    sys.stdin.readline()
    allowed = 0
    for attempt in range(times):
        key = f"{case_id}/1/1/{attempt}"
        try:
            records.reserve(
                key,
                order_id="SO-1",
                case_id=case_id,
                kind=RemedyKind.REFUND,
                amount=Decimal("1.00"),
                currency="CNY",
                paid=Decimal("50.00"),
            )
        except OverPaid:
            continue
        records.commit(key, f"RF-{key}")
        allowed += 1
    print(allowed)  # noqa: T201 (the test reads it)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
