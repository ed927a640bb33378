"""A review is written whole or not at all, and its files can be opened without danger (G13)."""

import csv
import json
import os
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from cases.errors import AfterSalesError
from cases.policy.policy import Policy
from messages import LOCALES
from records import Records
from review.figures import Review
from review.making import Reader
from review.page import page
from review.producing import ABANDONED_AFTER, produce
from settings import ROOT
from tests.review.data import WANTED

FILES = {
    "review.json",
    "cases.csv",
    "cases.parquet",
    "promises.csv",
    "promises.parquet",
    *(f"review.{locale}.html" for locale in LOCALES),
}


class Stop(Exception):
    """Somebody presses Ctrl-C."""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_review_is_a_folder_with_everything(
    filled: Records, known: dict[str, Policy], made: Review, tmp_path: Path
) -> None:
    """G13"""
    found = produce(filled, known, WANTED, tmp_path / "october")

    assert names(tmp_path) == {"october"}
    assert names(tmp_path / "october") == FILES
    assert found.model_copy(update={"decisions": made.decisions}) == made
    written = json.loads((tmp_path / "october" / "review.json").read_text(encoding="utf-8"))
    assert written == json.loads(found.model_dump_json())


def test_interrupted_work_leaves_the_earlier_review_as_it_was(
    filled: Records, known: dict[str, Policy], tmp_path: Path
) -> None:
    """G13: at any point, also while the exports are written."""
    folder = tmp_path / "october"
    folder.mkdir()
    (folder / "review.json").write_text("the earlier one", encoding="utf-8")
    calls = [0]

    def count(*_: int) -> None:
        calls[0] += 1

    produce(filled, known, WANTED, tmp_path / "other", Reader(filled, count))
    for stop_at in range(1, calls[0] + 1, 3):
        seen = [0]

        def beat(*_: int, seen: list[int] = seen, stop_at: int = stop_at) -> None:
            seen[0] += 1
            if seen[0] == stop_at:
                raise Stop

        with pytest.raises(Stop):
            produce(filled, known, WANTED, folder, Reader(filled, beat))
        assert names(tmp_path) == {"october", "other"}
        assert names(folder) == {"review.json"}

    produce(filled, known, WANTED, folder)
    assert names(folder) == FILES


def test_a_folder_that_is_no_review_is_not_replaced(filled: Records, known: dict[str, Policy], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")

    with pytest.raises(AfterSalesError, match="mine is not a review: choose another folder"):
        produce(filled, known, WANTED, tmp_path / "mine")

    assert names(tmp_path / "mine") == {"thesis.txt"}


def test_what_a_killed_process_left_behind_is_removed(
    filled: Records, known: dict[str, Policy], tmp_path: Path
) -> None:
    abandoned, recent = tmp_path / ".october.x1", tmp_path / ".october.x2"
    abandoned.mkdir()
    recent.mkdir()
    long_ago = time.time() - ABANDONED_AFTER - 1
    os.utime(abandoned, (long_ago, long_ago))

    produce(filled, known, WANTED, tmp_path / "october")

    assert names(tmp_path) == {".october.x2", "october"}


def test_no_cell_of_a_spreadsheet_is_a_formula(filled: Records, known: dict[str, Policy], tmp_path: Path) -> None:
    """G13: the products of the data set begin with `=`."""
    produce(filled, known, WANTED, tmp_path / "october")

    for name in ("cases", "promises"):
        with (tmp_path / "october" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["product"][:2] for row in rows} == {"'="}
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_the_figures_have_the_published_schema(made: Review) -> None:
    """G13"""
    schema = json.loads((ROOT / "docs/schemas/review.json").read_text(encoding="utf-8"))

    Draft202012Validator(schema).validate(json.loads(made.model_dump_json()))


class Seen(HTMLParser):
    """What a page loads, runs and links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "xlink:href"):
                self.links.add(value or "")
            if name == "id":
                self.ids.add(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_page_needs_nothing_else_and_runs_nothing(made: Review, known: dict[str, Policy], locale: str) -> None:
    """G13: self-contained, without scripts; every query that a figure names is on the page."""
    seen = Seen(page(made, known, locale))

    assert "script" not in seen.tags
    assert seen.handlers == []
    assert all(link.startswith("#") for link in seen.links)
    assert {link.removeprefix("#") for link in seen.links if link.startswith("#q-")} <= seen.ids
    assert {f"q-{name}" for name in made.queries} <= seen.ids
    assert seen.tags.count("svg") == len(made.funnels) + 3


@pytest.mark.parametrize(("locale", "decide"), [("zh-CN", "需要决策"), ("en", "What needs a decision")])
def test_a_page_says_first_what_needs_a_decision(
    made: Review, known: dict[str, Policy], locale: str, decide: str
) -> None:
    """G13: first what needs a decision, then attainment, then where."""
    text = page(made, known, locale)

    places = [text.index(f"<h2>{decide}"), text.index('class="targets"'), text.index("<svg")]
    assert places == sorted(places)
    assert text.count('class="said"') == len(made.decisions) > 0


def test_a_name_from_outside_is_text_and_not_markup(made: Review, known: dict[str, Policy]) -> None:
    hostile = made.promises[1].model_copy(update={"dimension": "team", "subject": "<script>alert(1)</script>"})
    changed = made.model_copy(update={"promises": [made.promises[0], hostile]})

    text = page(changed, known, "en")

    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("locale", LOCALES)
def test_a_period_without_cases_has_a_page(tmp_path: Path, known: dict[str, Policy], locale: str) -> None:
    records = Records(f"sqlite:///{tmp_path}/records.db")

    produce(records, known, WANTED, tmp_path / "empty")

    records.close()
    assert "</html>" in (tmp_path / "empty" / f"review.{locale}.html").read_text(encoding="utf-8")
