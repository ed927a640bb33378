"""`starter.py review`: what it prints and writes, and periods and lines that cannot be (G13)."""

import json
from pathlib import Path
from typing import Any

import pytest

from starter import main
from tests.review.data import BAD_TEAM, fill

OCTOBER = ["--from", "2026-10-01", "--to", "2026-10-31"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('review')}/records.db"
    fill(url).close()
    return url


@pytest.fixture(autouse=True)
def settings(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", database)
    monkeypatch.setenv("AFTER_SALES_REVIEWS", str(tmp_path / "reviews"))
    monkeypatch.setenv("AFTER_SALES_STAFF_LOCALE", "en")


def test_it_prints_what_to_decide_and_where_the_page_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """G13"""
    assert main(["review", *OCTOBER]) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Service review · October 2026"
    assert said[1].startswith("3 items need a decision. First: The team returns broke ")
    page = tmp_path / "reviews" / "review-all-2026-10-01_2026-10-31" / "review.en.html"
    assert said[-1] == str(page)
    assert page.exists()


def test_json_is_the_whole_review_and_writes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """G13"""
    assert main(["review", *OCTOBER, "--json", "--line", "fresh_food"]) == 0

    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["line"] == "fresh_food"
    assert found["period"] == {"first": "2026-10-01", "last": "2026-10-31"}
    assert not (tmp_path / "reviews").exists()


def test_json_with_a_folder_writes_it_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["review", *OCTOBER, "--json", "--out", str(tmp_path / "mine")]) == 0

    written = json.loads((tmp_path / "mine" / "review.json").read_text(encoding="utf-8"))
    found = json.loads(capsys.readouterr().out)
    assert {**found, "made_at": ""} == {**written, "made_at": ""}
    assert BAD_TEAM in {each["subject"] for each in found["decisions"]}


def test_volumes_are_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    carriers = ["闽江物流", "Slow Freight", "长风快运", "Ocean & Sons", "北斗货运", "Swift"]
    rows = [f"carrier,{name},{500 if name == 'Slow Freight' else 2000}" for name in carriers]
    file.write_text("\n".join(["dimension,subject,orders", *rows]), encoding="utf-8")

    assert main(["review", *OCTOBER, "--json", "--volumes", str(file)]) == 0

    found = json.loads(capsys.readouterr().out)
    [funnel] = [each for each in found["funnels"] if each["figure"] == "complaints"]
    assert funnel["points"][0]["subject"] == "Slow Freight"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "2026-02-30"], "--from '2026-02-30' is not a day: write it as 2026-11-30"),
        (["--from", "2026-10-02", "--to", "2026-10-01"], "--to is 2026-10-01: choose 2026-10-02 (from) or a later day"),
        (["--from", "2999-01-01"], "--from is 2999-01-01: choose a day up to today"),
        (["--to", "2026-10-01"], "--from is missing: write the first day, such as 2026-11-01"),
        (["--line", "fish"], "'fish' is not one of building_materials, express, fresh_food"),
        (["--period", "year"], "'year' is not one of 'week', 'month', 'quarter'"),
        (["--period", "week", *OCTOBER], "--period is a whole week, month or quarter: use it, or --from and --to"),
        (["--volumes", "/no/such/file"], "--volumes /no/such/file cannot be read: No such file or directory"),
        (["schedule", "--every", "month", "--line", "fish"], "'fish' is not one of building_materials, express"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """G13: with the field and what it may be; exit code 2."""
    assert main(["review", *arguments]) == 2

    assert sentence in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("carrier,Swift,100", "the first line must be dimension,subject,orders"),
        ("dimension,subject,orders\nship,Swift,100", "line 2: 'ship' is not one of carrier, route"),
        ("dimension,subject,orders\n\ncarrier,Swift,-1", "line 3: needs a subject and a number of orders over 0"),
        ("dimension,subject,orders\ncarrier,Swift", "line 2: needs a subject and a number of orders over 0"),
    ],
)
def test_volumes_that_cannot_be_read_are_refused_by_line(
    content: str, sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(content, encoding="utf-8")

    assert main(["review", *OCTOBER, "--volumes", str(file)]) == 2

    assert sentence in " ".join(capsys.readouterr().err.split())


def test_without_a_database_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")

    assert main(["review", *OCTOBER]) == 1

    assert "there is no database yet" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()
