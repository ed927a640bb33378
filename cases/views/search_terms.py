"""The terms by which a case is found: words, pairs of Chinese characters, and the last digits of a phone number.

A text and a query are split by the same rules. A case matches if it has every term of the query, in any order.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cases.text import same_name

RULES = 1
"""Raise it with each change of the rules below: stored terms are then computed again at a case's next change."""
FEWEST_DIGITS = 4
"""The shortest end of a phone number that finds it."""
MOST_DIGITS = 20
"""Digits of a phone number that count, from its end."""
LONGEST_WORD = 64
"""Characters of a word that count, from its start: an index takes no key of any length."""
MOST_TERMS = 3_000
"""Terms of one case. The ids, the customer and the description come before the items of a large order."""
MOST_ASKED = 20
"""Terms of a query that count."""

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
_GROUPS_OF_DIGITS = re.compile(r"[0-9 +()./-]+")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_NOT_IN_A_NUMBER = re.compile(r"[\W_]")


class Searchable(NamedTuple):
    """What of a case is searched; personal data."""

    numbers: list[str]
    """The ids of the case, the order and the parcel."""
    phone: str
    texts: list[str]
    """The customer's name and email, the description, and of each item its sku and name."""

    @classmethod
    def of(cls, snapshot: Mapping[str, Any]) -> "Searchable":
        """Return what is searched of a snapshot, given as decoded JSON. Snapshots of older builds may lack parts."""
        complaint = snapshot.get("complaint") or {}
        customer, order = complaint.get("customer") or {}, complaint.get("order") or {}
        items = [each for item in order.get("items") or [] for each in (item.get("sku"), item.get("name"))]
        numbers = [snapshot.get("case_id"), order.get("order_id") or snapshot.get("order_id"), order.get("tracking_no")]
        texts = [customer.get("name"), customer.get("email"), complaint.get("description")]
        return cls(
            [each for each in numbers if each],
            customer.get("phone") or "",
            [each for each in (*texts, *items) if each],
        )

    def terms(self) -> list[str]:
        """Return the terms that find the case, each once."""
        found = dict.fromkeys(filter(None, self._all_terms()))
        return list(found)[:MOST_TERMS]

    def _all_terms(self) -> Iterator[str]:
        for number in self.numbers:
            yield from _terms(number)
            yield _joined(number)
        yield from _ends(self.phone)
        yield from _terms(self.phone)
        for text in self.texts:
            yield from _terms(text)


def query_terms(query: str) -> list[frozenset[str]]:
    """Return the terms that a case needs to match the query: one of each set. Empty if the query has no word."""
    words = list(dict.fromkeys(_terms(query)))[:MOST_ASKED]
    if len(words) > 1 and _GROUPS_OF_DIGITS.fullmatch(text := same_name(query)):
        # A phone number or an id in groups: 138 0013 8000 is also found where it is written without blanks.
        joined = _NOT_A_DIGIT.sub("", text)[-MOST_DIGITS:]
        return [frozenset({word, joined}) for word in words]
    return [frozenset({word}) for word in words]


def _terms(text: str) -> Iterator[str]:
    """Yield words, and of Chinese the pairs of neighbours. A single character is a term only where it stands alone.

    To have each character as a term too would nearly double what is written for a case.
    """
    for run in _RUN.findall(same_name(text)):
        if len(run) == 1 or not _IS_CJK.match(run):
            yield run[:LONGEST_WORD]
            continue
        for start in range(len(run) - 1):
            yield run[start : start + 2]


def _joined(number: str) -> str:
    """Return an id without what separates its parts."""
    return _NOT_IN_A_NUMBER.sub("", same_name(number))[:LONGEST_WORD]


def _ends(phone: str) -> Iterator[str]:
    digits = _NOT_A_DIGIT.sub("", same_name(phone))[-MOST_DIGITS:]
    for length in range(FEWEST_DIGITS, len(digits) + 1):
        yield digits[-length:]
