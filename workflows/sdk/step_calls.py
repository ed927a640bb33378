"""The activities that carry out a step, and that ask for its result."""

from temporalio import workflow

from cases.complaint import Order
from cases.partner_calls import Payment, Receipt, Shipment, StepCommand
from cases.vocabulary import Partner
from workflows.sdk.activity_calls import Call, at, call, named

with workflow.unsafe.imports_passed_through():
    from activities.refunds import Refunds
    from activities.steps import find_of, step_of
    from activities.warehouse import Warehouse


def carry_out(partner: Partner, command: StepCommand, order: Order | None) -> Call[Receipt]:
    """Return the call that carries out `command`. Refunds cannot exceed the amount of the `order` (S14)."""
    if isinstance(command, Payment) and order:
        return at(partner, call(Refunds.carry_out, command, order.amount))
    if isinstance(command, Shipment):
        return at(partner, call(Warehouse.carry_out, command))
    return at(partner, named(step_of(partner), Receipt, command))


def find(partner: Partner, key: str) -> Call[Receipt | None]:
    """Return the call that asks for the result of a key. Its result is None if the partner never received the key."""
    return at(partner, named(find_of(partner), Receipt | None, key))
