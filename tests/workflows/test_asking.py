"""A case is asked in short questions, so that none still waits when another worker takes the case over."""

import asyncio
from datetime import timedelta

import pytest

from console import engine as connection
from console.engine import Engine, Unreachable
from tests.complaints import complaint
from tests.engine import Workshop


async def test_question_that_nobody_answers_is_put_again_until_a_worker_is_there(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "A_QUESTION", timedelta(seconds=0.2))
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await workshop.close()
    asked = asyncio.create_task(Engine(workshop.client, "here").snapshot(case.id))
    await asyncio.wait([asked], timeout=0.5)
    assert not asked.done()

    await workshop.open()

    assert (await asked)["case_id"] == case.id


async def test_case_that_nobody_answers_for_is_given_up(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await workshop.close()
    for name in ("A_QUESTION", "ANSWER_WITHIN"):
        monkeypatch.setattr(connection, name, timedelta(seconds=0.5))

    with pytest.raises(Unreachable, match=f"{case.id} does not answer: is a worker running"):
        await Engine(workshop.client, "here").snapshot(case.id)
