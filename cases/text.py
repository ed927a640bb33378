"""Text from outside: which characters an id or a name may contain, and when two of them are equal (S29).

Ids are stored in their NFKC form, so that full-width `ＳＯ-１` equals `SO-1`. Letters of two scripts that look alike
(Latin a, Cyrillic а) stay different, because no normal form of Unicode makes them equal.

Characters are refused only in new input (`NEW_INPUT`), because values that were recorded before this rule must stay
readable.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

NEW_INPUT = {"new_input": True}
"""The validation context for input that arrives now, in contrast to recorded data that is read again."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Unicode categories of invisible characters: controls, formats, private use, unassigned, and all blanks."""
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
_BLANK = _SELECTORS | frozenset(
    # grapheme joiner, Hangul fillers, Khmer inherent vowels, Mongolian selectors, blank Braille, null notehead, Khitan
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159\U00016fe4"
)
_IN_NAMES = _SELECTORS | {"\u200c", "\u200d"}
"""Persian and Indic names need joiners, and emoji need selectors. Comparisons ignore them."""


def invisible(char: str) -> bool:
    """Return whether a character is invisible. A space is invisible too."""
    return char in _BLANK or unicodedata.category(char) in _INVISIBLE


def comparable(text: str) -> str:
    """Return the form in which an id is stored and compared."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def same_name(text: str) -> str:
    """Return a form that is equal for two spellings of one name: without case, width and invisible characters."""
    shown = "".join(" " if c.isspace() else c for c in comparable(text) if c.isspace() or not invisible(c))
    return comparable(" ".join(shown.casefold().split()))


def readable(text: str) -> bool:
    """Return whether the text contains a visible letter or digit."""
    return any(unicodedata.category(c)[0] in "LN" and not invisible(c) for c in comparable(text))


def blank(text: str) -> bool:
    """Return whether the text contains only invisible characters."""
    return all(map(invisible, text))


def replaced(text: str, *, by: str = "\N{REPLACEMENT CHARACTER}", keep: str = "") -> str:
    """Return the text with `by` in place of line ends, control characters and invisible characters, except `keep`."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c in keep else by for c in text)


# Field types


def _for_new_input(check: Callable[[str], str | None]) -> AfterValidator:
    """Return a validator that refuses new input for which `check` returns an error text."""

    def checked(text: str, info: ValidationInfo) -> str:
        if info.context is NEW_INPUT and (why := check(text)):
            raise ValueError(why)
        return text

    return AfterValidator(checked)


def _invisible_in(text: str, allowed: frozenset[str] | str = " ") -> str | None:
    hidden = next((c for c in text if invisible(c) and c not in allowed), None)
    return hidden and f"contains an invisible character (U+{ord(hidden):04X}): remove it"


def _of_a_name(text: str) -> str | None:
    blanks = {c for c in text if unicodedata.category(c) == "Zs"}
    return _invisible_in(text, _IN_NAMES | blanks) or _unreadable(text)


def _unreadable(text: str) -> str | None:
    return None if readable(text) else "must contain a visible letter or digit"


def _normal(value: Any) -> Any:
    return comparable(value) if isinstance(value, str) else value


Clean = AfterValidator(lambda text: _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text))
"""Replaces control characters, which a terminal would execute or a database cannot store."""
NOT_BLANK = _for_new_input(lambda text: "contains no visible characters" if text and blank(text) else None)
"""Refuses a text that contains only invisible characters."""
ALL_VISIBLE = _for_new_input(_invisible_in)
"""Refuses a text that contains an invisible character other than a space."""
Short = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_ONE_LINE), Clean, NOT_BLANK
]
Long = Annotated[str, StringConstraints(max_length=10_000), Clean]
Text = Annotated[str, StringConstraints(min_length=1, max_length=5_000, strip_whitespace=True), Clean, NOT_BLANK]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_ONE_LINE),
    Clean,
    ALL_VISIBLE,
    BeforeValidator(_normal),
]
"""An id or a key. It contains no invisible characters, so that equal-looking ids are rarely different."""
MessageId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, strip_whitespace=True, pattern=_ONE_LINE),
    Clean,
    ALL_VISIBLE,
    BeforeValidator(_normal),
]
Name = Annotated[Short, _for_new_input(_unreadable)]
"""A customer's name."""
Signature = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=_ONE_LINE),
    Clean,
    _for_new_input(_of_a_name),
]
"""The name under which an agent takes responsibility for an action. Compare signatures by `same_name`."""
Phone = Annotated[
    Short,
    AfterValidator(lambda text: "".join(c for c in text if c == " " or not invisible(c)) or text),
    _for_new_input(_unreadable),
]
"""A phone number. Direction marks, which phones add when a number is copied, are removed."""
