"""The terms by which a case is found: words, pairs of Chinese characters, and the last digits of a phone number.

A text and a query are split by the same rules. A case matches if it has every term of the query, in any order.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cases.text import same_name

RULES = 1
"""The version of the rules below. Raise it with each change: stored terms are then computed again."""
FEWEST_DIGITS = 4
"""The smallest number of last digits that finds a phone number."""
MOST_DIGITS = 20
"""The number of last digits of a phone number that count."""
LONGEST_WORD = 64
"""The number of first characters of a word that count, because an index limits the length of its keys."""
MOST_TERMS = 3_000
"""The maximum number of terms of one case. Ids, customer and description come before the items of a large order."""
MOST_ASKED = 20
"""The maximum number of terms of a query. Further terms are ignored."""

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
_GROUPS_OF_DIGITS = re.compile(r"[0-9 +()./-]+")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_NOT_IN_A_NUMBER = re.compile(r"[\W_]")


class Searchable(NamedTuple):
    """The searchable parts of a case. They contain personal data."""

    numbers: list[str]
    """The ids of the case, the order and the parcel."""
    phone: str
    texts: list[str]
    """The customer's name and email, the description, and the SKU and name of each item."""

    @classmethod
    def of(cls, snapshot: Mapping[str, Any]) -> "Searchable":
        """Return the searchable parts of a snapshot, which is decoded JSON. Older snapshots may lack some parts."""
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
    """Return sets of terms: a case matches the query if it has one term of each set. Empty if the query has no word."""
    words = list(dict.fromkeys(_terms(query)))[:MOST_ASKED]
    if len(words) > 1 and _GROUPS_OF_DIGITS.fullmatch(text := same_name(query)):
        # A phone number or an id in groups: 138 0013 8000 also finds a number that is stored without blanks.
        joined = _NOT_A_DIGIT.sub("", text)[-MOST_DIGITS:]
        return [frozenset({word, joined}) for word in words]
    return [frozenset({word}) for word in words]


def _terms(text: str) -> Iterator[str]:
    """Yield words, and pairs of adjacent Chinese characters. A single character is a term only if it is alone.

    Storing each character as well would nearly double the terms of a case.
    """
    for run in _RUN.findall(same_name(text)):
        if len(run) == 1 or not _IS_CJK.match(run):
            yield run[:LONGEST_WORD]
            continue
        for start in range(len(run) - 1):
            yield run[start : start + 2]


def _joined(number: str) -> str:
    """Return an id without the separators between its parts."""
    return _NOT_IN_A_NUMBER.sub("", same_name(number))[:LONGEST_WORD]


def _ends(phone: str) -> Iterator[str]:
    digits = _NOT_A_DIGIT.sub("", same_name(phone))[-MOST_DIGITS:]
    for length in range(FEWEST_DIGITS, len(digits) + 1):
        yield digits[-length:]
