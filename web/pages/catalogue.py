"""The texts of pages in each language. English is in templates and code; the packages' `locale/*.po` translate it.

Sentences are marked with `_("…")`. Names of the domain (`awaiting_consent`) are translated by group: in the catalogue
the group is the context (`msgctxt`), and in English the name itself is the text.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel.messages.pofile import read_po

FILES = sorted(Path(__file__).parents[1].glob("*/locale/*.po"))
"""The translations of all packages of `web`, by language."""
ENGLISH = "en"
LOCALES = (ENGLISH, *sorted({path.stem for path in FILES}))
"""The languages of pages, as BCP 47 tags."""

SHORT_FORMS = frozenset({"sms", "id", "sku"})
"""Names that are written in capitals in English."""


class Catalogue(NamedTuple):
    """The texts of one language."""

    locale: str
    texts: dict[tuple[str | None, str], str]
    """By context and English text."""

    def text(self, english: str) -> str:
        """Return a sentence in this language; English if it has no translation."""
        return self.texts.get((None, english), english)

    def plural(self, one: str, many: str, count: int) -> str:
        """Return the form for a number. Chinese has one form."""
        chosen = one if count == 1 else many
        return self.texts.get((None, many), chosen) if self.locale != ENGLISH else chosen

    def name(self, group: str, name: str) -> str:
        """Return the label of a name of the domain. A name without a translation is shown as words."""
        return self.texts.get((group, name)) or spelled(name)


def marked(english: str) -> str:
    """Return a sentence unchanged. Marks one for the catalogue that is translated later, by a variable."""
    return english


def spelled(name: str) -> str:
    """Return a name of the domain as English words: `awaiting_consent` as *Awaiting consent*."""
    words = name.replace("_", " ").replace("-", " ").split(" ")
    text = " ".join(word.upper() if word in SHORT_FORMS else word for word in words)
    return text[:1].upper() + text[1:]


@cache
def catalogue(locale: str) -> Catalogue:
    """Return the texts of a language of `LOCALES`."""
    if locale == ENGLISH:
        return Catalogue(ENGLISH, {})
    texts: dict[tuple[str | None, str], str] = {}
    for path in FILES:
        if path.stem == locale:
            with path.open("rb") as file:
                texts |= {
                    (message.context, str(message.id)): str(message.string)
                    for message in read_po(file, locale=locale.replace("-", "_"))
                    if message.id and message.string
                }
    return Catalogue(locale, texts)
