"""Every text of pages is in every language."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from cases.inbox.messages import COMMANDS, FACTS, MESSAGES
from cases.views.need_view import NeedKind
from cases.vocabulary import (
    Channel,
    EvidenceKind,
    Liable,
    LinkKind,
    OfferState,
    Outcome,
    Partner,
    PromiseName,
    PromiseState,
    RemedyKind,
    Role,
    Severity,
    Status,
    StepState,
    Wish,
)
from settings import ROOT
from web.pages.catalogue import ENGLISH, LOCALES, catalogue

NAMES: dict[str, Iterable[str]] = {
    "channel": Channel,
    "evidence": EvidenceKind,
    "field": {field for model in MESSAGES.values() for field in model.model_fields},
    "liable": Liable,
    "link": LinkKind,
    "message": [*FACTS, *COMMANDS],
    "need": NeedKind.__args__,  # type: ignore[attr-defined]
    "offer_state": OfferState,
    "outcome": Outcome,
    "partner": Partner,
    "promise": PromiseName,
    "remedy": RemedyKind,
    "role": Role,
    "severity": Severity,
    "state": PromiseState,
    "status": Status,
    "step_state": StepState,
    "wish": Wish,
}
"""The names of the domain that pages show, by group."""
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None, "text": None}
TRANSLATED = [locale for locale in LOCALES if locale != ENGLISH]


def sentences(folder: Path) -> set[str]:
    """The English texts in templates and modules; of two forms, the plural."""
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    options = {"**.html": {"trimmed": "true", "encoding": "utf-8"}}
    found = extract_from_dir(folder, method_map=methods, keywords=KEYWORDS, options_map=options)
    return {text if isinstance(text, str) else text[-1] for _, _, text, _, _ in found}


def test_there_is_chinese_and_english() -> None:
    assert set(LOCALES) >= {"en", "zh-CN"}


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_sentence_is_translated_and_no_translation_is_left_over(locale: str) -> None:
    known = {text for group, text in catalogue(locale).texts if group is None}

    assert sorted(sentences(ROOT / "web") - known) == []
    assert sorted(known - sentences(ROOT / "web")) == []


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("group", NAMES)
def test_every_name_of_the_domain_has_a_label(group: str, locale: str) -> None:
    known = {name for context, name in catalogue(locale).texts if context == group}

    assert sorted(set(map(str, NAMES[group])) - known) == []


def test_sentence_without_translation_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ _('New and not translated') }}", encoding="utf-8")

    assert sentences(tmp_path) - {text for _, text in catalogue("zh-CN").texts} == {"New and not translated"}
