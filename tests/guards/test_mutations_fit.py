"""`mutations.yaml` fits the code, as a quick test; `test_guards.py` then tries each mutation."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from settings import ROOT

MUTATIONS = YAML(typ="safe").load(Path(__file__).with_name("mutations.yaml"))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation['rule']}: {mutation['wrong']}")
def test_a_mutation_finds_its_place(mutation: dict[str, str]) -> None:
    text = (ROOT / mutation["file"]).read_text(encoding="utf-8")

    assert text.count(mutation["source"]) == 1, mutation["file"]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation['rule']}: {mutation['wrong']}")
def test_a_mutation_names_tests_that_exist(mutation: dict[str, list[str]]) -> None:
    for test in mutation["tests"]:
        file, _, name = test.partition("::")
        name = name.partition("[")[0].rpartition("::")[2]
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"^ *(async )?def {name}\(", text, re.MULTILINE), test
