"""What of a case finds it: every run of words of its text, every Chinese phrase, and the end of its phone number."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.text import same_name
from cases.views.search_terms import LONGEST_WORD, MOST_ASKED, MOST_TERMS, Searchable, query_terms

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=30)


def searched(**complaint: Any) -> Searchable:
    return Searchable.of({"case_id": "HL-1", "complaint": complaint})


def matches(query: str, case: Searchable) -> bool:
    terms, wanted = set(case.terms()), query_terms(query)
    return bool(wanted) and all(any_of & terms for any_of in wanted)


@given(st.lists(WORDS | CHINESE, min_size=1, max_size=8), st.data())
def test_words_of_a_text_find_it(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    query = " ".join(words[start : data.draw(st.integers(start + 1, len(words)))])

    assert matches(query, searched(description=" ".join(words))) or not query_terms(query)


@given(CHINESE, st.data())
def test_part_of_a_chinese_text_finds_it(text: str, data: st.DataObject) -> None:
    """From two characters on."""
    start = data.draw(st.integers(0, len(text) - 2))
    query = text[start : data.draw(st.integers(start + 2, len(text)))]

    assert matches(query, searched(description=f"看{text}。"))


def test_single_character_finds_a_case_only_where_it_stands_alone() -> None:
    assert matches("裂", searched(description="三块 裂"))
    assert not matches("裂", searched(description="三块裂开"))


@given(st.text("0123456789", min_size=4, max_size=15), st.integers(4, 15), st.sampled_from(["{}", "+86 {}", "({})"]))
def test_last_digits_of_a_phone_number_find_it_from_four_on(digits: str, last: int, written: str) -> None:
    case = searched(customer={"phone": written.format(digits)})

    assert matches(digits[-last:], case)


@given(st.text(max_size=200))
def test_any_text_has_terms_that_a_database_takes(text: str) -> None:
    terms = searched(description=text, customer={"phone": text[:50]}, order={"order_id": text[:50]}).terms()

    assert all(0 < len(term) <= LONGEST_WORD and "\0" not in term for term in terms)
    assert len(set(terms)) == len(terms)
    assert all(any_of for any_of in query_terms(text))


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("", []),
        ("  …，。 ", []),
        ("Cracked TILE", [{"cracked"}, {"tile"}]),
        ("瓷砖裂开", [{"瓷砖"}, {"砖裂"}, {"裂开"}]),
        ("裂", [{"裂"}]),
        ("ＳＯ－１", [{"so"}, {"1"}]),
        ("瓷砖60片", [{"瓷砖"}, {"60"}, {"片"}]),
        ("8000", [{"8000"}]),
        ("138 0013", [{"138", "1380013"}, {"0013", "1380013"}]),
        ("tile tile", [{"tile"}]),
    ],
)
def test_query_is_split(query: str, terms: list[set[str]]) -> None:
    assert query_terms(query) == [frozenset(any_of) for any_of in terms]


def test_case_is_found_by_what_identifies_it_and_by_what_it_is_about() -> None:
    case = Searchable.of(
        {
            "case_id": "HL-2026-7",
            "complaint": {
                "customer": {"name": "王丽", "phone": "138 0013 8000", "email": "li@example.org"},
                "order": {
                    "order_id": "SO-99",
                    "tracking_no": "SF 1234",
                    "items": [{"sku": "SLATE-9", "name": "Slate 60x120"}],
                },
                "description": "裂开",
            },
        }
    )

    asked = ["hl20267", "HL-2026-7", "王丽", "8000", "13800138000", "li@example.org", "so99", "sf1234", "SLATE-9"]
    assert [query for query in [*asked, "60x120", "裂开", "王丽 SO-99"] if not matches(query, case)] == []
    assert [query for query in ["800", "王力", "slates", "SO-98", "王丽 SO-98"] if matches(query, case)] == []


def test_snapshot_of_a_case_that_is_being_admitted_is_searched_by_its_id() -> None:
    assert matches("HL-1", Searchable.of({"case_id": "HL-1", "order_id": None, "complaint": None}))


def test_large_order_does_not_push_out_what_identifies_the_case() -> None:
    items = [{"sku": f"S{n}", "name": f"名{chr(0x4E00 + n)}字 {n}"} for n in range(3000)]
    case = searched(customer={"name": "王丽", "phone": "13800138000"}, order={"order_id": "SO-1", "items": items})

    assert len(case.terms()) == MOST_TERMS
    assert [query for query in ("SO-1", "8000", "王丽") if not matches(query, case)] == []


def test_long_query_counts_as_far_as_its_first_terms() -> None:
    assert len(query_terms(" ".join(map(str, range(100))))) == MOST_ASKED


def test_spelling_of_a_name_does_not_matter() -> None:
    assert same_name("ＬＩ") == "li"
    assert matches("ＬＩ", searched(customer={"name": "Li"}))
