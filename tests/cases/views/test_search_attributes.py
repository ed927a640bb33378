"""A search attribute is declared once; everything else takes name, type and value from there (contract)."""

import ast
import re
from collections.abc import Iterator

import pytest
from temporalio.common import SearchAttributeKey

from cases.views.search_attributes import OF_CASES, OF_CLAIMS, SearchAttribute
from settings import ROOT
from workflows.sdk.search import KEYS

NOT_READ = {".venv", "tests", "build", "web"}
"""`web` shows "Urgent" to people, and may not use Temporal's client."""
DECLARED_IN = ROOT / "cases/views/search_attributes.py"
NAMES = re.compile(r"\b(" + "|".join(attribute.name for attribute in OF_CASES) + r")\b")


def written(source: str) -> Iterator[str]:
    """Return the names of search attributes in code: in its strings and keywords, but not in docstrings."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from NAMES.findall(node.value)
        elif isinstance(node, ast.keyword) and node.arg:
            yield from NAMES.findall(node.arg)


def test_no_other_module_writes_the_name_of_a_search_attribute() -> None:
    ours = [p for p in ROOT.rglob("*.py") if p.relative_to(ROOT).parts[0] not in NOT_READ]
    assert DECLARED_IN in ours
    found = {str(p.relative_to(ROOT)): names for p in ours if (names := [*written(p.read_text(encoding="utf-8"))])}
    assert found == {str(DECLARED_IN.relative_to(ROOT)): [attribute.name for attribute in OF_CASES]}


@pytest.mark.parametrize("code", ["x['CaseTeam']", "f'{x}: CaseTeam = 1'", "x(CaseTeam='claims')"])
def test_a_name_that_is_written_would_be_noticed(code: str) -> None:
    assert [*written(code)] == ["CaseTeam"]


@pytest.mark.parametrize("attribute", OF_CASES, ids=lambda attribute: attribute.name)
def test_the_contract_gives_each_with_its_type(attribute: SearchAttribute) -> None:
    section = (ROOT / "docs/contract.md").read_text(encoding="utf-8").partition("## Search attributes")[2]
    row = next(row for row in section.splitlines() if f"`{attribute.name}`" in row)
    assert row.split("|")[2].strip() == attribute.type


def test_the_sdk_is_given_each_under_its_name_with_its_type() -> None:
    assert [key.name for key in KEYS.values()] == list(KEYS) == [attribute.name for attribute in OF_CASES]
    assert KEYS["NextDueAt"] == SearchAttributeKey.for_datetime("NextDueAt")
    assert KEYS["BrokenPromises"] == SearchAttributeKey.for_keyword_list("BrokenPromises")


def test_what_a_claim_has_is_some_of_what_a_case_has() -> None:
    assert set(OF_CLAIMS) < set(OF_CASES)
