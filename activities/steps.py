"""Steps of partners whose work is not counted in an order's ledger."""

from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities.outcomes import carry_out, find
from cases.partner_calls import Receipt, StepCommand
from partners import ports


def step_of(partner: str) -> str:
    """Return the name of the activity that has a step carried out. Histories contain it, so it never changes."""
    return f"{partner}-step"


def find_of(partner: str) -> str:
    """Return the name of the activity that looks a step up by its key. Histories contain it, so it never changes."""
    return f"{partner}-find"


class Steps:
    """The activities that use the port of one partner."""

    def __init__(self, partner: str, port: ports.StepPartner) -> None:
        self._partner = partner
        self._port = port

    def activities(self) -> list[Callable[..., Any]]:
        """Return both activities, under the names of the partner."""

        @activity.defn(name=step_of(self._partner))
        async def step(command: StepCommand) -> Receipt:
            return await carry_out(self._port, command)

        @activity.defn(name=find_of(self._partner))
        async def found(key: str) -> Receipt | None:
            return await find(self._port, key)

        return [step, found]
