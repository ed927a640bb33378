"""mypy checks the arguments of activities, which the SDK takes as `Sequence[Any]`.

Each `type: ignore` here is for an error that mypy must find; if it no longer does, `make check` fails.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, assert_type

from activities.records import Admission, Records
from activities.refunds import Refunds
from cases.partner_calls import Contact, Payment, Receipt, StepCommand
from cases.vocabulary import RemedyKind
from tests.cases.world import START
from workflows.sdk.activity_calls import Call, call

COMMAND = StepCommand(
    key="case-1:refund",
    case_id="1",
    step="refund",
    kind=RemedyKind.REFUND,
    order_id="SO-1",
    currency="CNY",
    contact=Contact(name="Wei Li", phone="13800000000"),
)
PAYMENT = Payment(**dict(COMMAND))


def test_call_carries_its_arguments_and_knows_its_result() -> None:
    paying = call(Refunds.carry_out, PAYMENT, Decimal("10.00"))
    admitting = call(Records.admit, {}, START, None)

    assert_type(paying, Call[Receipt])
    assert_type(call(Refunds.find, "key"), Call[Receipt | None])
    assert_type(admitting, Call[Admission])
    assert paying.arguments == (PAYMENT, Decimal("10.00"))
    assert admitting.arguments == ({}, START, None)


if TYPE_CHECKING:
    call(Refunds.carry_out, COMMAND, Decimal("10.00"))  # type: ignore[arg-type,call-arg]  # no payment
    call(Refunds.carry_out, PAYMENT)  # type: ignore[arg-type]  # one is missing
    call(Refunds.find, 5)  # type: ignore[arg-type]  # another type
    call(Refunds.find, "key", "key")  # type: ignore[arg-type,call-arg]  # one too many
    call(Records.admit, {}, "today", None)  # type: ignore[arg-type,call-arg]  # another type, of a method that is not async
