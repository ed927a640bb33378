"""What a customer does on the page reaches the case, exactly as it was shown."""

import re
from typing import Any

import pytest

from cases.vocabulary import OfferState, Outcome, Status
from records.links import TRIES
from tests.cases import stages
from tests.cases.offers import money
from tests.cases.world import World, open_case
from tests.web.customer.conftest import DIGITS, CasesInMemory, Customer


def with_refund() -> World:
    """A case whose offer has two options: new goods or the money back, each with a compensation."""
    photo = {"kind": "photo", "uri": "https://example.com/1"}
    world = open_case("goods.damage", line="fresh_food", evidence=[photo])
    world.says("assess", severity="moderate", upheld=True, liable="delivery", cause="dropped", by="li")
    assert set(world.options) == {"replace", "refund"}
    return world


def notice(text: str) -> str:
    """What the page says above its forms."""
    found = re.search(r'<div class="notice \w*" role="(?:alert|status)"><p>(.*?)</p>', text)
    return found[1] if found else ""


async def test_customer_chooses_an_option(customer_of: Any) -> None:
    """G5: goods need no digits. The timeline names the customer."""
    customer: Customer = customer_of(stages.offered())

    answer = await customer.sends("accept", offer="o1", option="replace")
    after = await customer.http.get(answer.headers["location"])

    assert answer.status_code == 303
    assert customer.world.offer.accepted == "replace"
    assert customer.world.case.timeline[-1].by in (None, "customer")
    assert any(entry.what == "agreed" and entry.by == "customer" for entry in customer.world.case.timeline)
    assert notice(after.text) == "Thank you. We have your choice and begin at once."
    assert "Our offer" not in after.text


async def test_money_needs_the_last_digits_of_the_phone_number(customer_of: Any) -> None:
    """G5, S20: a forwarded link alone moves no money."""
    customer: Customer = customer_of(with_refund())

    missing = await customer.sends("accept", offer="o1", option="refund")
    wrong = await customer.sends("accept", offer="o1", option="refund", digits="1234")
    state = customer.world.offer.state
    right = await customer.sends("accept", offer="o1", option="refund", digits=f" {DIGITS} ")

    assert (missing.status_code, wrong.status_code, state) == (422, 422, OfferState.OPEN)
    assert notice(wrong.text) == "These are not the last four digits of your phone number."
    assert 'value="refund" required class="pays" checked' in wrong.text, "the choice is not lost"
    assert right.status_code == 303
    assert customer.world.offer.accepted == "refund"


async def test_guesses_lock_the_question_for_a_time_also_with_another_link(
    customer_of: Any, engine_in_memory: CasesInMemory
) -> None:
    customer: Customer = customer_of(with_refund())
    for _ in range(TRIES):
        await customer.sends("accept", offer="o1", option="refund", digits="1234")
    other: Customer = customer_of(customer.world)

    locked = await other.sends("accept", offer="o1", option="refund", digits=DIGITS)

    assert locked.status_code == 429
    assert "too many wrong tries" in notice(locked.text)
    assert customer.world.offer.state is OfferState.OPEN
    assert engine_in_memory.sent == []


async def test_customer_without_a_phone_number_is_asked_to_reply(customer_of: Any) -> None:
    world = open_case(customer={"name": "Wei Li", "email": "li@example.org"})
    world.says("assess", severity="severe", by="li")
    customer: Customer = customer_of(world)

    shown = await customer.opens()
    answer = await customer.sends("accept", offer="o1", option="refund", digits="0000")

    assert "We have no phone number of yours" in shown.text
    assert answer.status_code == 422
    assert world.offer.state is OfferState.OPEN


async def test_consent_is_to_the_offer_that_was_on_the_screen(customer_of: Any) -> None:
    """S19: an offer that was replaced meanwhile is not accepted; the page says so and shows the new one."""
    customer: Customer = customer_of(stages.offered())
    await customer.opens()
    customer.world.says("assess", severity="severe", by="li")
    assert customer.world.offer.id == "o2"

    answer = await customer.sends("accept", offer="o1", option="replace")

    assert answer.status_code == 409
    assert notice(answer.text) == "Our offer has changed in the meantime. Please look at the new one."
    assert 'name="offer" value="o2"' in answer.text
    assert customer.world.offer.state is OfferState.OPEN


async def test_offer_replaced_while_the_answer_is_under_way_is_refused_by_the_case(
    customer_of: Any, engine_in_memory: CasesInMemory
) -> None:
    """S19: the page has seen the old offer, the case has the new one."""
    customer: Customer = customer_of(stages.offered())
    send = engine_in_memory.send

    async def late(case_id: str, name: str, payload: dict[str, Any]) -> Any:
        customer.world.says("assess", severity="severe", by="li")
        return await send(case_id, name, payload)

    engine_in_memory.send = late  # type: ignore[method-assign]
    answer = await customer.sends("accept", offer="o1", option="replace")

    assert answer.status_code == 409
    assert notice(answer.text) == "Our offer has changed in the meantime. Please look at the new one."
    assert customer.world.offer.state is OfferState.OPEN


async def test_button_pressed_twice_is_one_consent(customer_of: Any, engine_in_memory: CasesInMemory) -> None:
    customer: Customer = customer_of(stages.offered())

    answers = [await customer.sends("accept", offer="o1", option="replace") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(engine_in_memory.sent) == 1


async def test_offer_that_was_answered_on_the_phone_can_no_longer_be_answered(customer_of: Any) -> None:
    customer: Customer = customer_of(with_refund())
    customer.world.says("customer-approved", offer="o1", option="replace", by="li.na")

    answer = await customer.sends("accept", offer="o1", option="refund", digits=DIGITS)

    assert answer.status_code == 409
    assert "can no longer be answered here" in notice(answer.text)
    assert customer.world.offer.accepted == "replace"


@pytest.mark.parametrize("option", ["", "nothing", "refund'--", "<script>", "1"])
async def test_option_that_was_not_shown_is_not_accepted(customer_of: Any, option: str) -> None:
    customer: Customer = customer_of(stages.offered())

    answer = await customer.sends("accept", offer="o1", option=option)

    assert answer.status_code == 422
    assert customer.world.offer.state is OfferState.OPEN


async def test_offer_that_needs_approval_is_neither_shown_nor_answered(customer_of: Any) -> None:
    """S20: nobody has decided about it."""
    customer: Customer = customer_of(stages.over_limits())

    shown = await customer.opens()
    answer = await customer.sends("accept", offer=customer.world.case.offers[-1].id, option="more", digits=DIGITS)

    assert "coupon" not in shown.text
    assert answer.status_code == 409
    assert customer.world.case.offers[-1].state is OfferState.AWAITING_APPROVAL


async def test_customer_declines_with_a_reason(customer_of: Any) -> None:
    """G5: an agent decides what is next, and reads the reason."""
    customer: Customer = customer_of(stages.offered())

    missing = await customer.sends("decline", offer="o1", reason="  ")
    answer = await customer.sends("decline", offer="o1", reason="I need it before Friday")

    assert missing.status_code == 422
    assert answer.status_code == 303
    assert customer.world.offer.state is OfferState.DECLINED
    assert any("I need it before Friday" in entry.text for entry in customer.world.case.timeline)


async def test_customer_rates_and_the_case_closes(customer_of: Any) -> None:
    """G8."""
    customer: Customer = customer_of(stages.following_up())

    wrong = await customer.sends("rate", score="6")
    answer = await customer.sends("rate", score="5", comment="quick")
    after = await customer.opens()

    assert (wrong.status_code, answer.status_code) == (422, 303)
    assert customer.world.case.outcome is Outcome.SATISFIED
    assert customer.world.case.satisfaction[-1].comment == "quick"
    assert "You rated our service 5 of 5." in after.text


async def test_dissatisfied_customer_reads_that_it_begins_again(customer_of: Any) -> None:
    """S10."""
    customer: Customer = customer_of(stages.following_up())

    await customer.sends("rate", score="1")

    assert customer.world.case.cycle == 2
    assert "We are looking into it again" in (await customer.opens()).text


async def test_closed_case_shows_how_it_ended_and_takes_no_answers(customer_of: Any) -> None:
    customer: Customer = customer_of(stages.closed())
    assert customer.world.status is Status.CLOSED

    shown = await customer.opens()
    answer = await customer.sends("rate", score="1")

    assert "Your case is closed" in shown.text
    assert "<form" not in shown.text
    assert answer.status_code == 409


async def test_offer_that_expired_is_over(customer_of: Any) -> None:
    world = stages.offered()
    world.after(days=8)
    customer: Customer = customer_of(world)

    answer = await customer.sends("accept", offer="o1", option="replace")

    assert answer.status_code == 409
    assert "We had no reply from you" in answer.text


async def test_agent_s_own_offer_pays_only_with_digits(customer_of: Any) -> None:
    world = open_case()
    world.says("propose", options=money("10.00", kind="coupon"), by="li.na")
    if world.status is Status.AWAITING_APPROVAL:
        world.says("approve", by="chen")
    customer: Customer = customer_of(world)

    assert (await customer.sends("accept", offer="o1", option="own")).status_code == 422
    assert (await customer.sends("accept", offer="o1", option="own", digits=DIGITS)).status_code == 303


async def test_deadline_of_the_offer_is_the_one_that_the_case_acts_on(customer_of: Any) -> None:
    """G5."""
    world = stages.offered()
    customer: Customer = customer_of(world)
    assert "Please choose by 25 Nov, 09:00." in (await customer.opens()).text

    states = [world.after(days=7, seconds=-1).offer.state, world.after(seconds=1).offer.state]
    assert states == [OfferState.OPEN, OfferState.EXPIRED]


async def test_contact_moves_the_deadline_on_the_page(customer_of: Any) -> None:
    world = stages.offered()
    world.after(days=2)
    world.says("contact-made", by="li.na")
    customer: Customer = customer_of(world)

    assert "Please choose by 27 Nov, 09:00." in (await customer.opens()).text
    world.after(days=7, seconds=-1)
    assert world.offer.state is OfferState.OPEN
