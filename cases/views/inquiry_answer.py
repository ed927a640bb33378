"""Agents' answers to inquiries, stored by product so that agents can use them again (M14)."""

from pydantic import AwareDatetime, BaseModel

from cases.policy.remedy_kinds import ROWS, Says
from cases.state.case import Case
from cases.vocabulary import StepState


class Answer(BaseModel):
    """A question and its answer. `product` is the SKU if the question was about one product."""

    line: str
    product: str | None
    question: str
    answer: str
    answered_at: AwareDatetime


def inquiry_answer(case: Case) -> Answer | None:
    """Return the agent's answer to the case's inquiry. None without such an inquiry, or if no answer was sent."""
    given = next((s for s in case.steps if ROWS[s.kind].says is Says.ANSWER and s.state is StepState.DONE), None)
    if case.topic.answered_from != "agent" or given is None or given.since is None or not case.finding.cause:
        return None
    products = {item.sku for item in case.complaint.affected_items}
    return Answer(
        line=case.complaint.line,
        product=products.pop() if len(products) == 1 else None,
        question=case.complaint.description,
        answer=case.finding.cause,
        answered_at=given.since,
    )
