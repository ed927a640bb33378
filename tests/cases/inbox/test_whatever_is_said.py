"""For any JSON a message is applied or refused, and a complaint is admitted or refused with its problems.

`tests/workflows/test_whatever_arrives.py` tests the same on a server, with a hundredth of the examples.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from cases.errors import InvalidInput, Refusal
from cases.inbox.messages import MESSAGES, read
from cases.inbox.receiving import receive, refuse
from cases.policy.admission import policy_for
from cases.progress.opening import open_case as opened
from cases.state.case import Case
from cases.views.search_attributes import search_attributes
from cases.views.ui_page import case_page
from tests.cases.inbox.test_messages_of_a_case import TAKEN
from tests.cases.world import START, World, a_complaint, in_force, snapshot
from tests.complaints import check_complaint
from tests.garbage import WHOLE, examples, is_clean, spoilt, written

SENT = st.sampled_from(sorted(MESSAGES)).flatmap(lambda name: st.tuples(st.just(name), written(spoilt(WHOLE[name]))))
COMPLAINTS = written(spoilt(a_complaint(evidence=[{"kind": "photo", "uri": "s3://p"}], wish="replace")))


def value_of(data: bytes) -> Any:
    """The JSON as the worker reads it, or None."""
    try:
        return from_json(data)
    except ValueError:
        return None


def is_whole(case: Case) -> None:
    """It can be shown and continued: its state is valid JSON."""
    json.dumps(snapshot(case), allow_nan=False).encode()
    json.dumps(search_attributes(case), allow_nan=False, default=str)
    assert case_page(case).encode()
    carried = json.loads(json.dumps(case.model_dump(mode="json"), allow_nan=False, ensure_ascii=False).encode())
    assert Case.model_validate(carried) == case


def is_applied_or_refused(world: World, sent: list[tuple[str, bytes]]) -> None:
    for name, data in sent:
        message = value_of(data)
        before = world.case.model_dump()
        why = None
        try:
            answer = receive(world.case, name, message, world.now)
        except Refusal as refusal:
            why = str(refusal)
        if why is None:
            json.dumps(answer, allow_nan=False).encode()
            world.attend()
        else:
            assert is_clean(why)
            assert world.case.model_dump() == before
            refuse(world.case.refused, name, message, why, world.now)
        is_whole(world.case)


def is_admitted_or_refused(data: bytes) -> None:
    raw = value_of(data)
    try:
        complaint = check_complaint(raw, START)
        policy = policy_for(complaint, in_force()).slice_for(complaint)
    except InvalidInput as error:
        for problem in error.problems:
            assert problem.field
            assert is_clean(f"the field: {problem.problem}")
        return
    world = World(opened(complaint, policy, START), START)
    world.attend()
    is_whole(world.case)


WHERE = pytest.mark.parametrize("where", TAKEN, ids=lambda where: where.__name__)


@WHERE
@examples(10)
@given(sent=st.lists(SENT, min_size=1, max_size=6))
def test_every_message_is_applied_or_refused(where: Any, sent: list[tuple[str, bytes]]) -> None:
    """Contract, *Messages*."""
    is_applied_or_refused(where(), sent)


def test_every_message_is_tried_with_every_field_that_it_has() -> None:
    """But for `message_id`; and none of them is refused for what it is."""
    for name, model in MESSAGES.items():
        assert {*WHOLE[name], "message_id"} == set(model.model_fields)
        assert read(name, WHOLE[name])


@examples(100)
@given(data=COMPLAINTS)
def test_every_complaint_is_admitted_or_has_its_problems_named(data: bytes) -> None:
    """Contract, *A complaint*."""
    is_admitted_or_refused(data)
