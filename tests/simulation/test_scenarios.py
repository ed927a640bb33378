"""Scenario files: what cannot be is reported with its field and what is allowed."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import policies
from cases.errors import InvalidInput
from policies import read_yaml
from simulation.reading import AS_IS, world
from starter import main
from tests.simulation.worlds import NOVEMBER, written

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policy files take a second to load."""
    monkeypatch.setattr(policies, "load", _load)


_load = cache(policies.load)


def saved(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "scenario.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return path


def problems(folder: Path, change: Change) -> dict[str, str]:
    """The problems of the November scenario with a change, by field."""
    content = read_yaml(NOVEMBER)
    change(content)
    with pytest.raises(InvalidInput) as raised:
        world(saved(folder, content))
    return {problem.field: problem.problem for problem in raised.value.problems}


@pytest.mark.parametrize("name", [AS_IS, *read_yaml(NOVEMBER)["variants"]])
def test_scenario_that_comes_with_the_program_is_valid_in_every_variant(name: str) -> None:
    found = world(NOVEMBER, name)

    assert found.name == name
    assert {mix.line for mix in found.scenario.complaints} == set(found.policies)


@pytest.mark.parametrize(
    ("change", "field", "allowed"),
    [
        (lambda c: c.update(dayz=3), "dayz", "known are title, starts, days"),
        (lambda c: c.update(days=0), "days", "greater than or equal to 1"),
        (lambda c: c["complaints"][0].update(chanels={}), "complaints.0.chanels", "known are line, topic, share"),
        (lambda c: c["complaints"][0].update(channels={"fax": 1}), "complaints.0.channels.fax.[key]", "'hotline', 'em"),
        (lambda c: c["complaints"][0].update(channels={"app": 0}), "complaints.0.channels", "one weight above 0"),
        (lambda c: c["complaints"][0].update(line="fax"), "complaints.0.line", "building_materials, express"),
        (lambda c: c["complaints"][0].update(topic="fax"), "complaints.0.topic", "transport.damage, transport.delay"),
        (lambda c: c["complaints"][3].update(severity={"moderate": 1}), "complaints.3.severity", "minor, severe"),
        (lambda c: c["arrivals"].update(hours=[1]), "arrivals.hours", "at least 24 items"),
        (lambda c: c["arrivals"]["peaks"][0].update(on="2026-12-01"), "arrivals.peaks.0.on", "2026-11-01 to 2026"),
        (lambda c: c["question"].update(promise="claim_paid"), "question.promise", "acknowledge, dispatch"),
        (lambda c: c["question"].update(line="fax"), "question.line", "building_materials, fresh_food"),
        (lambda c: c["question"].update(target="120%"), "question.target", "less than or equal to 1"),
        (lambda c: c["staff"][0].update(begins="8"), "staff.0.begins", '"09:00"'),
        (lambda c: c["staff"][0].update(teams=["sales"]), "staff.0.teams", "managers, hotline"),
        (lambda c: c["staff"][2].update(people=0), "staff", "nobody works in team logistics"),
        (lambda c: c["staff"][2].update(name="hotline"), "staff.2.name", "another crew"),
        (lambda c: c["work"].pop("assess"), "work", "no time for assess"),
        (lambda c: c["work"].update(assess="2 working days"), "work.assess.mean", "write 30s, 10m, 24h or 1 day"),
        (lambda c: c["orders"].pop("express"), "orders", "no terms for express"),
        (lambda c: c["variants"]["eight"].update(people={"sales": 1}), "variants.eight.people", "hotline, night"),
        (lambda c: c["variants"].update(as_is={}), "variants.as_is", "use another name"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_what_can(tmp_path: Path, change: Change, field: str, allowed: str) -> None:
    assert allowed in problems(tmp_path, change)[field]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["orders"].clear()
        content["work"].clear()
        content["question"]["on"] = "2027-01-01"

    assert {"orders", "work", "question.on"} <= problems(tmp_path, spoil).keys()


def test_unknown_variant_is_refused_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(NOVEMBER), "--compare", AS_IS, "nine"]) == 2

    assert "nine: is neither a folder of policies nor one of as_is, seven, eight" in capsys.readouterr().err


def test_faulty_file_is_refused_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("title: [\n", encoding="utf-8")

    assert main(["simulate", str(path)]) == 2

    assert "scenario.yaml: line 2" in capsys.readouterr().err


def test_folder_of_policies_is_a_variant(tmp_path: Path) -> None:
    """What `--compare as_is drafts/` does: the same scenario under other promises."""
    shared = "timezone: Asia/Shanghai\n"
    for path in (NOVEMBER.parents[2] / "policies").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace("name: acknowledge, within: 30m", "name: acknowledge, within: 5m")
        )
    assert shared in (tmp_path / "every_line.yaml").read_text(encoding="utf-8")

    drafts = world(saved(tmp_path.parent, written()), str(tmp_path))

    assert drafts.policies["express"].promises[0].within == "5m"
