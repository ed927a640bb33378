"""Links for customers: only hashes are stored, and guesses at the phone number are limited."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from records import Link, Records
from records.links import FIRST_LOCK, LIFETIME, LONGEST_LOCK, TRIES, new_token, token_of_letter

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SECRET = "s" * 32


def test_link_stands_for_its_case(records: Records) -> None:
    token = new_token()
    records.add_link(token, "HL-1", "HL-1/1/offer", NOW)

    assert records.link(token) == Link("HL-1", "case", NOW + LIFETIME, None)


@pytest.mark.parametrize(
    "altered",
    ["", "x", "A" * 43, "\0" * 43, "\ud800", "é" * 43],
    ids=["empty", "short", "guessed", "NUL", "surrogate", "letters"],
)
def test_any_other_token_is_unknown(records: Records, altered: str) -> None:
    records.add_link(new_token(), "HL-1", "li.na", NOW)

    assert records.link(altered) is None


def test_each_altered_character_makes_a_token_unknown(records: Records) -> None:
    token = new_token()
    records.add_link(token, "HL-1", "li.na", NOW)

    for place, char in enumerate(token):
        assert records.link(token[:place] + ("B" if char == "A" else "A") + token[place + 1 :]) is None


def test_token_is_not_stored(records: Records, url: str) -> None:
    token = new_token()
    records.add_link(token, "HL-1", "li.na", NOW)
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM customer_links")).all()
    engine.dispose()

    assert len(rows) == 1
    assert token not in str(rows)


def test_letter_that_is_sent_again_has_the_same_link_which_then_works_longer(records: Records) -> None:
    later = NOW + timedelta(days=3)
    for at in (NOW, later):
        records.add_link(token_of_letter(SECRET, "HL-1", "case", "HL-1/1/offer"), "HL-1", "HL-1/1/offer", at)

    found = records.link(token_of_letter(SECRET, "HL-1", "case", "HL-1/1/offer"))
    assert found is not None
    assert found.expires_at == later + LIFETIME


def test_token_depends_on_secret_case_purpose_and_letter() -> None:
    given = [
        (SECRET, "HL-1", "case", "a"),
        ("t" * 32, "HL-1", "case", "a"),
        (SECRET, "HL-2", "case", "a"),
        (SECRET, "HL-1", "other", "a"),
        (SECRET, "HL-1", "case", "b"),
        (SECRET, "HL-1c", "ase", "a"),
    ]

    tokens = {token_of_letter(*each) for each in given}

    assert len(tokens) == len(given)
    assert {len(token) for token in tokens} == {43}, "256 bits in base64"


def test_revoked_link_stays_revoked_and_the_other_case_keeps_its_link(records: Records) -> None:
    mine, also_mine, other = new_token(), new_token(), new_token()
    for token, case in ((mine, "HL-1"), (also_mine, "HL-1"), (other, "HL-2")):
        records.add_link(token, case, "li.na", NOW)

    assert records.revoke_links("HL-1", NOW) == 2
    assert records.revoke_links("HL-1", NOW) == 0
    records.add_link(mine, "HL-1", "li.na", NOW + timedelta(days=1))

    revoked, kept = records.link(mine), records.link(other)
    assert revoked
    assert kept
    assert (revoked.revoked_at, revoked.expires_at) == (NOW, NOW + LIFETIME)
    assert kept.revoked_at is None


def test_guesses_are_limited_and_each_round_is_locked_for_twice_as_long(records: Records) -> None:
    now, locks = NOW, []
    for _ in range(100 // TRIES):
        for _ in range(TRIES):
            assert records.begin_try("HL-1", now) is None
        until = records.begin_try("HL-1", now)
        assert until is not None
        assert records.begin_try("HL-1", until - timedelta(seconds=1)) == until
        locks.append(until - now)
        now = until

    assert locks[:3] == [FIRST_LOCK, 2 * FIRST_LOCK, 4 * FIRST_LOCK]
    assert max(locks) == LONGEST_LOCK
    assert now - NOW > LIFETIME, "a hundred guesses take longer than a link works"


def test_right_answer_begins_the_count_again_and_cases_are_counted_separately(records: Records) -> None:
    for _ in range(TRIES - 1):
        records.begin_try("HL-1", NOW)
    records.forget_tries("HL-1")

    assert [records.begin_try("HL-1", NOW) for _ in range(TRIES)] == [None] * TRIES
    assert records.begin_try("HL-1", NOW) is not None
    assert records.begin_try("HL-2", NOW) is None
