"""Which activity carries out a step, and which one says what became of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import workflow

from cases.complaint import Order
from cases.partner_calls import Payment, Receipt, Shipment, StepCommand
from cases.vocabulary import Partner
from workflows.sdk.activity_calls import Call, call

with workflow.unsafe.imports_passed_through():
    from activities.installation import Installation
    from activities.logistics import Logistics
    from activities.refunds import Refunds
    from activities.warehouse import Warehouse

_CARRY_OUT: dict[Partner, Callable[[Any, StepCommand], Awaitable[Receipt]]] = {
    Partner.LOGISTICS: Logistics.carry_out,
    Partner.INSTALLATION: Installation.carry_out,
}
_FIND: dict[Partner, Callable[[Any, str], Awaitable[Receipt | None]]] = {
    Partner.WAREHOUSE: Warehouse.find,
    Partner.LOGISTICS: Logistics.find,
    Partner.INSTALLATION: Installation.find,
    Partner.REFUNDS: Refunds.find,
}


def carry_out(partner: Partner, command: StepCommand, order: Order | None) -> Call[Receipt]:
    """Have it done, once; no more is refunded than the customer paid for the `order` (S14)."""
    if isinstance(command, Payment) and order:
        return call(Refunds.carry_out, command, order.amount)
    if isinstance(command, Shipment):
        return call(Warehouse.carry_out, command)
    return call(_CARRY_OUT[partner], command)


def find(partner: Partner, key: str) -> Call[Receipt | None]:
    """What became of it; None: the partner never heard of it."""
    return call(_FIND[partner], key)
