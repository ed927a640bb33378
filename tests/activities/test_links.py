"""Letters to customers have a link to the page of their case; a letter that is sent again has the same one."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from temporalio.testing import ActivityEnvironment

from activities.messaging import Links, Messaging
from activities.shortcuts import Shortcut
from cases.partner_calls import Contact, CustomerMessage
from cases.vocabulary import Channel
from messages import LOCALES, render_customer
from partners.ports import TryAgain
from records import Records
from tests.fakes import FakeMessaging

PAGE = "https://care.example.com/c/"


@pytest.fixture
def records(sqlite_url: str) -> Iterator[Records]:
    opened = Records(sqlite_url)
    yield opened
    opened.close()


def letter(key: str = "HL-1/1/offer/o1", locale: str = "en") -> CustomerMessage:
    to = Contact(name="Wei Li", phone="13800000000", locale=locale)
    return CustomerMessage(key=key, case_id="HL-1", event="apology", to=to, routes=[Channel.SMS], facts={})


async def sent(port: FakeMessaging, links: Links | None, message: CustomerMessage) -> str | None:
    await ActivityEnvironment().run(Messaging(port, Shortcut(), links).to_customer, message)
    return port.to_customers[message.key].facts.get("link")


async def test_letter_has_a_link_to_the_page_of_its_case(records: Records) -> None:
    link = await sent(FakeMessaging(), Links(records, "s" * 32, PAGE), letter())

    assert link is not None
    found = records.link(link.removeprefix(PAGE))
    assert found is not None
    assert (found.case_id, found.purpose) == ("HL-1", "case")


async def test_repeated_letter_has_the_same_link_and_another_letter_another_one(records: Records) -> None:
    links = Links(records, "s" * 32, PAGE)

    first, again = [await sent(FakeMessaging(), links, letter()) for _ in range(2)]
    other = await sent(FakeMessaging(), links, letter("HL-1/1/report"))

    assert first == again
    assert other != first


async def test_letter_goes_out_without_a_link_if_the_database_cannot_keep_it(records: Records, sqlite_url: str) -> None:
    """G2: a first answer is worth more than its link."""
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE customer_links"))
    engine.dispose()

    assert await sent(FakeMessaging(), Links(records, "s" * 32, PAGE), letter()) is None


async def test_without_a_secret_letters_have_no_link() -> None:
    assert await sent(FakeMessaging(), None, letter()) is None


async def test_partner_that_is_down_does_not_use_a_link_up(records: Records) -> None:
    port, links = FakeMessaging(), Links(records, "s" * 32, PAGE)
    port.down = True
    with pytest.raises(Exception, match="down") as failed:
        await sent(port, links, letter())
    assert not isinstance(failed.value, TryAgain), "it is translated for Temporal"
    port.down = False

    assert await sent(port, links, letter()) is not None


@pytest.mark.parametrize("locale", LOCALES)
def test_link_is_the_end_of_the_text_so_that_no_full_stop_becomes_part_of_it(locale: str) -> None:
    message = letter(locale=locale)
    with_link = message.model_copy(update={"facts": {"link": PAGE + "TOKEN"}})

    assert re.search(r"[\s：]https://care\.example\.com/c/TOKEN$", render_customer(with_link).body)
    assert "http" not in render_customer(message).body
    assert "：" not in render_customer(message).body.splitlines()[-1]
