"""What a letter is about is serialized as cases of earlier builds have it, so that either build reads the other's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.state.letter import (
    Acknowledgement,
    Audience,
    EscalationNotice,
    Letter,
    OfferLetter,
    PlanLetter,
    ReportLetter,
    StepLetter,
    Subject,
    UpdateLetter,
)

WRITTEN: dict[str | None, Subject | None] = {
    None: None,
    "acknowledge": Acknowledgement(),
    "offer:o1": OfferLetter("o1"),
    "plan": PlanLetter(),
    "progress": UpdateLetter(),
    "step:explanation-2": StepLetter("explanation-2"),
    "escalation:11": EscalationNotice(11),
    "report": ReportLetter(),
}


def letter(about: object) -> Letter:
    return Letter.model_validate(
        {"number": 1, "audience": Audience.CUSTOMER, "event": "offer", "cycle": 1, "about": about}
    )


@pytest.mark.parametrize("written", WRITTEN)
def test_a_letter_of_an_earlier_build_is_read_and_written_the_same(written: str | None) -> None:
    read = letter(written)

    assert read.about == WRITTEN[written]
    assert letter(read.about).about == read.about
    assert read.model_dump(mode="json")["about"] == written
    assert Letter.model_validate_json(read.model_dump_json()) == read


def test_every_subject_is_tried() -> None:
    assert {type(about) for about in WRITTEN.values()} == {*Subject.__args__, type(None)}


@given(st.text())
def test_an_offer_or_a_step_may_have_any_id(name: str) -> None:
    for about in (OfferLetter(name), StepLetter(name)):
        assert Letter.model_validate_json(letter(about).model_dump_json()).about == about


def test_a_subject_that_this_build_does_not_know_settles_nothing() -> None:
    assert letter("moon:1").about is None
