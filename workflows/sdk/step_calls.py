"""Which activity carries out a step, and which one says what became of it."""

from temporalio import workflow

from cases.complaint import Order
from cases.partner_calls import Payment, Receipt, Shipment, StepCommand
from cases.vocabulary import Partner
from workflows.sdk.activity_calls import Call, call, named

with workflow.unsafe.imports_passed_through():
    from activities.refunds import Refunds
    from activities.steps import find_of, step_of
    from activities.warehouse import Warehouse


def carry_out(partner: Partner, command: StepCommand, order: Order | None) -> Call[Receipt]:
    """The call that carries out `command`; no more is refunded than the customer paid for the `order` (S14)."""
    if isinstance(command, Payment) and order:
        return call(Refunds.carry_out, command, order.amount)
    if isinstance(command, Shipment):
        return call(Warehouse.carry_out, command)
    return named(step_of(partner), Receipt, command)


def find(partner: Partner, key: str) -> Call[Receipt | None]:
    """The call that asks for the result of a key; None: the partner never received it."""
    return named(find_of(partner), Receipt | None, key)
