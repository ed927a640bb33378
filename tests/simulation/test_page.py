"""The page and the JSON of a simulation: complete in both languages, in one file each, written whole or not at all."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import drawing
from cases.vocabulary import PromiseName, Role
from console import reading, simulated
from docs import schemas
from messages import LOCALES, texts
from simulation.figures import Figure, Simulation, share
from simulation.page import writing
from simulation.page.writing import page, write
from simulation.reading import AS_IS, World
from simulation.run import Run
from simulation.summing import simulation
from tests.simulation.worlds import in_force, scenario

DELAY = {"line": "express", "topic": "transport.delay", "share": 1, "channels": {"hotline": 2, "app": 1}}
BUSY = {"per_day": 60, "hours": [0.0] * 8 + [1.0] * 16}
QUESTION = {
    "text": {"zh-CN": "三人够吗？<b>", "en": "Are three people enough? <b>"},
    "line": "express",
    "promise": "acknowledge",
    "on": "2026-11-02",
    "target": "90%",
}


@cache
def found(compared: bool) -> Simulation:
    """A small simulation, of one or two variants."""
    staff = {"name": "desk", "people": 3, "teams": ["customer_service", "delivery", "managers"]}
    worlds = [
        World(
            name,
            scenario(days=1, arrivals=BUSY, complaints=[DELAY], staff=[{**staff, "people": people}], question=QUESTION),
            in_force(),
        )
        for name, people in ((AS_IS, 2), ("more", 6))
    ]
    chosen = worlds if compared else worlds[:1]
    return simulation(
        chosen, [[Run(world.scenario, world.policies, seed).play() for seed in (1, 2)] for world in chosen]
    )


class Tags(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, set[str]] = {}
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def paths(content: Any, before: str = "") -> set[str]:
    if not isinstance(content, dict):
        return {before}
    return {path for name, value in content.items() for path in paths(value, f"{before}/{name}")}


def test_both_languages_have_the_same_texts_with_the_same_facts() -> None:
    english, chinese = (texts(locale, "simulation") for locale in ("en", "zh-CN"))

    assert paths(english) == paths(chinese)
    for group, named in english.items():
        for name, text in named.items():
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese[group][name])), (group, name)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("compared", [False, True])
def test_page_is_one_file_without_scripts_that_needs_nothing_else(locale: str, compared: bool) -> None:
    seen = Tags(page(found(compared), locale))

    assert {"script", "link", "iframe", "img"} & set(seen.tags) == set()
    assert seen.tags.count("svg") == (5 if compared else 3)
    for name in ("src", "href", "xlink:href"):
        assert not any(value.startswith(("http", "//")) for value in seen.attributes.get(name, ()))
    assert seen.attributes["lang"] == {locale}
    assert not any(name.startswith("on") for name in seen.attributes)


def test_charts_have_the_style_of_all_charts() -> None:
    text = page(found(compared=False), "en")

    assert f'stroke="{drawing.GRID}"' in text
    assert f'fill="{drawing.QUIET}"' in text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("compared", [False, True])
def test_page_has_words_for_all_names_and_escapes_the_scenario(locale: str, compared: bool) -> None:
    text = page(found(compared), locale)
    shown = " ".join(Tags(text).words)

    assert "&lt;b&gt;" in text
    internal = {name for name in (*PromiseName, *Role, "days_to_close", "customer_service") if "_" in name}
    assert [name for name in internal if name in shown] == []
    assert found(compared).results[0].policies["express"] in shown


def test_answer_is_yes_no_or_open_by_the_whole_interval() -> None:
    few, more = found(compared=True).results

    assert (few.answer.verdict, more.answer.verdict) == ("no", "yes")
    for result in (few, more):
        assert result.answer.kept is not None
        assert result.complaints.mean == few.complaints.mean
    table = {each.name: each for each in found(compared=True).comparison.differences}  # type: ignore[union-attr]
    assert table["wait.customer_service"].difference.mean < 0
    assert few.answer.kept
    assert more.answer.kept
    gained = more.answer.kept.mean - few.answer.kept.mean
    assert table["question"].difference.mean == pytest.approx(gained, abs=1e-5)


@pytest.mark.parametrize("locale", LOCALES)
def test_one_period_without_a_day_in_question_has_a_page_without_intervals(
    locale: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(AS_IS, scenario(days=1, arrivals=BUSY), in_force())

    one = simulation([world], [[Run(world.scenario, world.policies, 1).play()]])

    answer = one.results[0].answer
    assert (answer.on, answer.line, answer.kept and answer.kept.low) == (None, None, None)
    assert texts(locale, "simulation")["text"]["interval"].split("{")[0] not in page(one, locale)
    reading.screen().print(simulated.tables(one))
    assert "% to " not in capsys.readouterr().out


def test_interval_is_that_of_the_mean() -> None:
    """1.96 standard errors for many values, and Student's t for few: 2.776 for five."""
    few, many = Figure.of([1.0, 2.0, 3.0, 4.0, 5.0]), Figure.of([float(number % 2) for number in range(1000)])

    assert few.mean == 3
    assert few.low == pytest.approx(3 - 2.776 * 2.5**0.5 / 5**0.5, abs=1e-4)
    assert many.high == pytest.approx(0.5 + 1.9623 * 0.50025 / 1000**0.5, abs=1e-4)
    assert Figure.of([7.0]) == Figure(mean=7, low=None, high=None)
    assert share([None, 1.0, 0.9]) == Figure.of([1.0, 0.9]).within(0, 1)


@pytest.mark.parametrize("compared", [False, True])
def test_json_is_described_by_its_schema(compared: bool) -> None:
    content = json.loads(found(compared).model_dump_json())

    Draft202012Validator(schemas.schema("simulation")).validate(content)
    assert Simulation.model_validate(content) == found(compared)


@pytest.mark.parametrize("compared", [False, True])
def test_tables_of_the_terminal_show_the_answer(compared: bool, capsys: pytest.CaptureFixture[str]) -> None:
    reading.screen().print(simulated.tables(found(compared)))

    printed = capsys.readouterr().out
    assert "Are three people enough? <b>" in printed
    assert ("more against as_is" in printed) is compared
    assert "95 % intervals" in printed


def test_files_are_written_together(tmp_path: Path) -> None:
    files = write(found(compared=False), tmp_path / "new" / "folder")

    assert {path.name for path in files} == {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert {path.name for path in files} == {"simulation.json", "simulation.en.html", "simulation.zh-CN.html"}


def test_fault_leaves_the_files_of_an_earlier_simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Simulation, locale: str) -> str:
        if locale == LOCALES[-1]:
            raise KeyboardInterrupt
        return "new"

    write(found(compared=False), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(writing, "page", fails)

    with pytest.raises(KeyboardInterrupt):
        write(found(compared=True), tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
