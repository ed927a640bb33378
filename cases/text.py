"""What strangers write: which characters may stand in an id or a name, and when two of them are the same (S29).

Ids are kept in their NFKC form, so that full-width `ＳＯ-１` is `SO-1`. Letters of two scripts that merely look alike
(Latin a, Cyrillic а) stay different: no normal form of Unicode makes them one.

What was recorded before a rule existed has to be read for ever, so a model refuses characters only `AT_THE_DOOR`.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

AT_THE_DOOR = {"at_the_door": True}
"""The validation context of what comes from outside just now."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
_NOT_SEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Categories of characters that show nothing: controls, formats, private use, unassigned, and all blanks."""
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
_BLANK = _SELECTORS | frozenset(
    # grapheme joiner, Hangul fillers, Khmer inherent vowels, Mongolian selectors, blank Braille, null notehead, Khitan
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159\U00016fe4"
)
_IN_NAMES = _SELECTORS | {"\u200c", "\u200d"}
"""Persian and Indic names need joiners, and emoji their selectors; comparisons leave them out."""


def unseen(char: str) -> bool:
    """Whether a character shows nothing; a plain space does not either."""
    return char in _BLANK or unicodedata.category(char) in _NOT_SEEN


def comparable(text: str) -> str:
    """An id as it is kept and compared."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def same_name(text: str) -> str:
    """What two spellings of one name have in common: no case, no width, nothing that is not seen."""
    shown = "".join(" " if c.isspace() else c for c in comparable(text) if c.isspace() or not unseen(c))
    return comparable(" ".join(shown.casefold().split()))


def readable(text: str) -> bool:
    """Whether there is a letter or a digit in it that can be seen."""
    return any(unicodedata.category(c)[0] in "LN" and not unseen(c) for c in comparable(text))


def blank(text: str) -> bool:
    """Whether nothing in it can be seen."""
    return all(map(unseen, text))


def replaced(text: str, *, by: str = "\N{REPLACEMENT CHARACTER}", keep: str = "") -> str:
    """On one line, with `by` for what gives orders to a terminal or shows nothing; `keep` stays."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c in keep else by for c in text)


# What a model may hold


def _at_the_door(check: Callable[[str], str | None]) -> AfterValidator:
    """Refuses, at the door only, text for which `check` has a sentence."""

    def checked(text: str, info: ValidationInfo) -> str:
        if info.context is AT_THE_DOOR and (why := check(text)):
            raise ValueError(why)
        return text

    return AfterValidator(checked)


def _hides(text: str, allowed: frozenset[str] | str = " ") -> str | None:
    hidden = next((c for c in text if unseen(c) and c not in allowed), None)
    return hidden and f"holds a character that nobody sees (U+{ord(hidden):04X}): take it out"


def _of_a_name(text: str) -> str | None:
    blanks = {c for c in text if unicodedata.category(c) == "Zs"}
    return _hides(text, _IN_NAMES | blanks) or _nameless(text)


def _nameless(text: str) -> str | None:
    return None if readable(text) else "needs a letter or a digit that can be seen"


def _normal(value: Any) -> Any:
    return comparable(value) if isinstance(value, str) else value


Clean = AfterValidator(lambda text: _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text))
"""People write anything: what gives orders to a terminal, or what a database cannot hold, is taken out."""
SEEN = _at_the_door(lambda text: "holds nothing that can be seen" if text and blank(text) else None)
"""Not made of characters alone that show nothing."""
PLAIN = _at_the_door(_hides)
"""Without characters that nobody sees."""
Short = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_ONE_LINE), Clean, SEEN
]
Long = Annotated[str, StringConstraints(max_length=10_000), Clean]
Text = Annotated[str, StringConstraints(min_length=1, max_length=5_000, strip_whitespace=True), Clean, SEEN]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_ONE_LINE),
    Clean,
    PLAIN,
    BeforeValidator(_normal),
]
"""An id or a key: the same for everybody who reads it."""
MessageId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, strip_whitespace=True, pattern=_ONE_LINE),
    Clean,
    PLAIN,
    BeforeValidator(_normal),
]
Name = Annotated[Short, _at_the_door(_nameless)]
"""Somebody's name as they write it."""
Signature = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=_ONE_LINE),
    Clean,
    _at_the_door(_of_a_name),
]
"""The name by which one of us answers for something; compared by `same_name`."""
Phone = Annotated[
    Short,
    AfterValidator(lambda text: "".join(c for c in text if c == " " or not unseen(c)) or text),
    _at_the_door(_nameless),
]
"""As dialled: the marks of direction that telephones copy along are taken out."""
