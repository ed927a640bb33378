"""Texts for customers and staff. A sentence that needs an unknown fact is left out.

The texts are in `messages/<locale>/customer.yaml` and `staff.yaml`, labels and formats in `words.yaml`. Input from
outside is always a value, never a template: a customer named `{{7*7}}` is greeted as `{{7*7}}`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, Template, UndefinedError, pass_context
from jinja2.runtime import Context
from ruamel.yaml import YAML

from cases.errors import InvalidInput, Problem
from cases.look_ups import LookUpName
from cases.measure.proposed import Dimension, Proposal
from cases.partner_calls import CustomerMessage, StaffNotice, TrailState
from cases.policy.remedy_kinds import LETTERS, PaidAs
from cases.reasons import SENTENCES
from cases.vocabulary import (
    EvidenceKind,
    Liable,
    Outcome,
    Partner,
    PromiseName,
    RemedyKind,
    Role,
    Severity,
    StepState,
)
from messages.examples import EVENTS, Event
from messages.reader import Reader, Words, cleaned, printed

__all__ = [
    "EVENTS",
    "LOCALES",
    "Event",
    "Text",
    "check_words",
    "findings",
    "preview",
    "reader_for",
    "render_customer",
    "render_staff",
    "texts",
]

MAX_SUBJECT = 120
MAX_BODY = 4_000
FALLBACK = "en"
DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")
MISSING_FACT = (UndefinedError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""Exceptions that a template raises if a fact is missing or has an unexpected type."""

_FOLDER = Path(__file__).resolve().parent
LOCALES = tuple(sorted(path.parent.name for path in _FOLDER.glob("*/words.yaml")))
"""The languages that have texts; a new folder adds a language."""

NAMED: dict[str, Iterable[str]] = {
    "remedy": RemedyKind,
    "letter": LETTERS,
    "paid": PaidAs,
    "partner": Partner,
    "look_up": LookUpName,
    "promise": PromiseName,
    "todo": PromiseName,
    "role": Role,
    "outcome": Outcome,
    "evidence": EvidenceKind,
    "severity": Severity,
    "liable": Liable,
    "step_state": StepState,
    "trail": TrailState,
    "dimension": Dimension,
    "proposal": Proposal,
}
"""The names that need a label in every language, by group."""


@dataclass(frozen=True)
class Text:
    """A rendered message: `subject` is one line of at most 120 characters, `body` at most 4,000."""

    subject: str
    body: str


def render_customer(message: CustomerMessage) -> Text:
    """Return the text of a message to a customer, in the customer's language.

    Raises `InvalidInput` for an event without a template; a missing fact never raises.
    """
    locale = _resolved(message.to.locale)
    facts = {**message.facts, "name": message.to.name, "case_id": message.case_id}
    return _rendered("customer", message.event, facts, locale)


def render_staff(notice: StaffNotice, locale: str) -> Text:
    """Return the text of a notice to staff. It contains no personal data except the ids of case and order.

    Raises `InvalidInput` for an event without a template; a missing fact never raises.
    """
    locale = _resolved(locale)
    lines = _words(locale)["line"]
    facts = {**notice.facts, "role": notice.role.value, "case_id": notice.case_id}
    facts["topic_title"] = facts.get("topic_title") or facts.get("topic")
    if isinstance(line := facts.get("line"), str):
        facts["line"] = lines.get(line, line)
    text = _rendered("staff", notice.event, facts, locale)
    if not (notice.urgent or facts.get("urgent") is True):
        return text
    subject = _words(locale)["format"]["urgent"].format(subject=text.subject)
    return Text(_cut(subject, MAX_SUBJECT), text.body)


def reader_for(locale: str, timezone: str | None, currency: str | None) -> Reader:
    """Return the formats and labels of letters to a customer, for pages that show the same things."""
    known = currency if currency and re.fullmatch("[A-Z]{3}", currency) else None
    return Reader(_resolved(locale), _words(_resolved(locale)), _zone(timezone), known)


def findings(reader: Reader, finding: Mapping[str, Any]) -> str:
    """Return what the letter with an offer says of a finding; empty if it says nothing."""
    paragraph = _yaml(reader.locale, "customer")["paragraphs"][0]
    context = {"finding": cleaned(finding), "reader": reader}
    between = _words(reader.locale)["format"]["between_sentences"]
    return _flowing((sentence(line, context) for line in paragraph.splitlines()), between)


def check_words() -> None:
    """Raise `InvalidInput` for each name without a label and each notification without a text, in any language."""
    missing = [
        Problem(field=f"messages/{locale}/words.yaml", problem=f"{group} has no word for {name}")
        for locale in LOCALES
        for group, names in NAMED.items()
        for name in sorted(names)
        if not _words(locale).get(group, {}).get(name)
    ]
    missing += [
        Problem(field=f"messages/{locale}/customer.yaml", problem=f"has no text for {kind}")
        for locale in LOCALES
        for kind in sorted(LETTERS)
        if kind not in _yaml(locale, "customer")["events"]
    ]
    if missing:
        raise InvalidInput(missing)


def preview(locale: str) -> Iterator[tuple[str, Text]]:
    """Yield the text of every event with its example facts, for review."""
    for name, event in EVENTS.items():
        for facts in event.examples:
            if event.audience == "customer":
                yield name, render_customer(event.message(name, facts, locale))
            else:
                yield name, render_staff(event.notice(name, facts), locale)


def texts(locale: str, name: str) -> Any:
    """Return the content of one of a language's files of texts, such as `words`."""
    return _yaml(_resolved(locale), name)


def _resolved(locale: str) -> str:
    """Return the folder for a locale: the same, else one of the same language, else English."""
    wanted = locale.replace("_", "-").lower()
    by_tag = {name.lower(): name for name in LOCALES}
    by_language = {name.lower().split("-")[0]: name for name in LOCALES}
    return by_tag.get(wanted) or by_language.get(wanted.split("-")[0]) or FALLBACK


@cache
def _yaml(locale: str, name: str) -> Any:
    return YAML(typ="safe", pure=True).load(_FOLDER / locale / f"{name}.yaml")


@cache
def _words(locale: str) -> Words:
    """Return the labels of a language. The English sentences of reasons come from `cases.reasons`."""
    return {"reason": SENTENCES, **_yaml(locale, "words")}


def _rendered(audience: str, event: str, facts: Mapping[str, Any], locale: str) -> Text:
    texts = _yaml(locale, audience)
    if event not in texts["events"]:
        raise InvalidInput([Problem(field="event", problem=f"{event!r} has no text in {locale}/{audience}.yaml")])
    template = texts["events"][event]
    context = _context(facts, locale)
    between = _words(locale)["format"]["between_sentences"]
    paragraphs = (
        _flowing((sentence(line, context) for line in paragraph.splitlines()), between)
        for paragraph in (texts["opening"], *template["body"], texts["closing"])
    )
    body = re.sub(r" *\n", "\n", "\n\n".join(filter(None, paragraphs)))
    body = re.sub(r"\n{3,}", "\n\n", body)
    subject = next(filter(None, (sentence(line, context) for line in template["subject"].splitlines())), "")
    return Text(_cut(subject, MAX_SUBJECT), _cut(body, MAX_BODY))


def _flowing(sentences: Iterable[str], between: str) -> str:
    """Join sentences. One that begins with `- ` starts a new line."""
    text = ""
    for one in filter(None, sentences):
        text += (("\n" if one.startswith("- ") else between) if text else "") + one
    return text


def _context(facts: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Return the variables of a template: each fact, all `facts`, and `topic`, the title in the reader's language."""
    known = cleaned(facts)
    currency = known.get("currency")
    reader = reader_for(locale, known.get("timezone"), currency if isinstance(currency, str) else None)
    known.pop("topic", None)
    with suppress(*MISSING_FACT):
        known["topic"] = reader.localized(known["topic_title"])
    return {**known, "facts": known, "reader": reader}


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) else DEFAULT_ZONE
    except (LookupError, ValueError, OSError):
        return DEFAULT_ZONE


def sentence(line: str, context: Mapping[str, Any]) -> str:
    """Render one line of a template; empty if a fact that it needs is missing or has an unexpected type."""
    try:
        return _compiled(line.strip()).render(context).strip(" ")
    except MISSING_FACT:
        return ""


@cache
def _compiled(line: str) -> Template:
    return _environment().from_string(line)


@cache
def _environment() -> Environment:
    environment = Environment(undefined=StrictUndefined, finalize=printed, autoescape=False)  # noqa: S701 (plain text, not HTML)
    environment.filters |= {name: _filter(name) for name in vars(Reader) if not name.startswith("_")}
    return environment


def _filter(name: str) -> Any:
    @pass_context
    def apply(context: Context, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = getattr(context["reader"], name)(value, *args, **kwargs)
        return text

    return apply


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
