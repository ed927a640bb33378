"""What we publish matches the program: schemas, and lists in the documents."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

import policies
from cases import contract, vocabulary
from cases.complaint import Complaint
from cases.errors import InvalidInput
from cases.inbox.messages import COMMANDS, FACTS, MESSAGES
from cases.policy.remedy_kinds import PAID_AS
from cases.views.snapshot import PaidView, Snapshot
from docs import schemas
from settings import ROOT, Settings, WebSettings
from tests.cases.stages import blocked, closed, dissatisfied, escalated, over_limits, paid_out, replaced
from tests.cases.world import World, open_case, snapshot
from tests.complaints import check_complaint
from workflows.sdk.search import KEYS

READMES = ("README.md", "README.zh-CN.md")
VARIABLES = [f"AFTER_SALES_{field.upper()}" for field in Settings.model_fields]
VARIABLES += [f"AFTER_SALES_WEB_{field.upper()}" for field in WebSettings.model_fields]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def json_of(path: str) -> list[Any]:
    """Return every JSON block of a document."""
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", read(path), flags=re.DOTALL)]


# Schemas


@pytest.mark.parametrize("name", schemas.PUBLISHED)
def test_published_schema_matches_its_model(name: str) -> None:
    assert read(f"docs/schemas/{name}.json") == schemas.text(name), "run python -m docs.schemas"


def test_every_public_model_has_one_schema() -> None:
    public = {"complaint", "snapshot", "review", "simulation", *MESSAGES}
    assert {path.stem for path in schemas.FOLDER.iterdir()} == {*schemas.PUBLISHED} == public


@pytest.mark.parametrize("name", schemas.PUBLISHED)
def test_every_schema_is_draft_2020_12(name: str) -> None:
    content = json.loads(read(f"docs/schemas/{name}.json"))
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(content)


@pytest.mark.parametrize("path", [*READMES, "docs/contract.md"])
def test_complaint_in_a_document_is_accepted_by_the_engine_and_its_schema(path: str) -> None:
    complaints = [block for block in json_of(path) if "case_id" in block]
    assert complaints
    for complaint in complaints:
        check_complaint(complaint, datetime.now(UTC) + timedelta(days=3650))
        Draft202012Validator(schemas.schema("complaint")).validate(complaint)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.update(line=None),
        lambda c: c.update(colour="red"),
        lambda c: c["order"].update(amount="12,800"),
        lambda c: c.update(case_id="two words"),
        lambda c: c["customer"].update(email="nobody"),
    ],
)
def test_engine_refuses_what_the_schema_refuses(spoil: Callable[[dict[str, Any]], None]) -> None:
    complaint = next(block for block in json_of("docs/contract.md") if "case_id" in block)
    spoil(complaint)
    assert not Draft202012Validator(schemas.schema("complaint")).is_valid(complaint)
    with pytest.raises((InvalidInput, ValidationError)):
        check_complaint(complaint, datetime.now(UTC) + timedelta(days=3650))


# The snapshot


def strict(schema: Any) -> Any:
    """Return the schema without its openness for new fields: a field without a description is a fault."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(part) for key, part in schema.items()}
    if "properties" in closed and isinstance(closed.get("type"), str):
        closed["additionalProperties"] = False
    return closed


SNAPSHOT = json.loads((schemas.FOLDER / "snapshot.json").read_text(encoding="utf-8"))
EXACTLY = Draft202012Validator(strict(SNAPSHOT))


@pytest.mark.parametrize(
    "story", [open_case, escalated, over_limits, replaced, blocked, paid_out, dissatisfied, closed]
)
def test_snapshot_is_described_by_its_schema_completely(story: Callable[[], World]) -> None:
    seen = json.loads(json.dumps(snapshot(story().case)))
    assert [f"{list(e.path)}: {e.message}" for e in EXACTLY.iter_errors(seen)] == []


def test_snapshot_of_a_case_that_is_being_admitted_is_described() -> None:
    EXACTLY.validate(Snapshot.being_admitted("HL-1").model_dump(mode="json"))


def test_field_without_a_description_is_detected() -> None:
    seen = json.loads(json.dumps(snapshot(replaced().case)))
    for change in (seen, seen["promises"][0], seen["steps"][0], seen["offers"][0]["options"][0]["remedies"][0]):
        change["new"] = 1
        assert not EXACTLY.is_valid(seen)
        assert Draft202012Validator(SNAPSHOT).is_valid(seen), "readers must accept new fields"
        del change["new"]


@pytest.mark.parametrize(
    ("where", "field", "words"),
    [
        (SNAPSHOT, "status", vocabulary.Status),
        (SNAPSHOT, "outcome", vocabulary.Outcome),
        (SNAPSHOT["$defs"]["EvidenceView"], "kind", vocabulary.EvidenceKind),
        (SNAPSHOT["$defs"]["RemedyView"], "kind", vocabulary.RemedyKind),
        (SNAPSHOT["$defs"]["FindingView"], "severity", vocabulary.Severity),
        (SNAPSHOT["$defs"]["FindingView"], "liable", vocabulary.Liable),
        (SNAPSHOT["$defs"]["PromiseView"], "name", vocabulary.PromiseName),
        (SNAPSHOT["$defs"]["PromiseView"], "state", vocabulary.PromiseState),
        (SNAPSHOT["$defs"]["OfferView"], "state", vocabulary.OfferState),
        (SNAPSHOT["$defs"]["StepView"], "state", vocabulary.StepState),
        (SNAPSHOT["$defs"]["StepView"], "partner", vocabulary.Partner),
        (SNAPSHOT["$defs"]["EscalationView"], "role", vocabulary.Role),
        (SNAPSHOT["$defs"]["LinkView"], "kind", vocabulary.LinkKind),
    ],
)
def test_values_of_the_snapshot_are_those_of_the_code(where: dict[str, Any], field: str, words: Any) -> None:
    described = where["properties"][field]
    assert described.get("enum", described.get("anyOf", [{}])[0].get("enum")) == [word.value for word in words]


def test_snapshot_shows_payments_under_the_headings_of_the_remedies() -> None:
    assert list(PaidView.model_fields) == list(PAID_AS)


def test_reader_accepts_a_newer_snapshot_and_passes_it_on() -> None:
    """Contract, *The snapshot*: fields and values may be added."""
    seen = snapshot(replaced().case)
    seen["status"], seen["new"], seen["steps"][0]["new"] = "resting", 1, {"more": [1]}

    read = Snapshot.model_validate(seen)

    assert read.status == "resting"
    assert json.loads(read.model_dump_json()) == seen


def test_reader_accepts_an_older_snapshot() -> None:
    seen = snapshot(blocked().case)
    for later in ("complaint", "awaited", "second_complaints"):
        del seen[later]
    del seen["policy"]["timezone"], seen["steps"][0]["key"]
    seen["needs"] = ["step replacement is blocked: resolve-step"]

    read = Snapshot.model_validate(seen)

    assert (read.complaint, read.awaited, read.second_complaints, read.policy.timezone) == (None, [], [], None)
    assert read.needs == ["step replacement is blocked: resolve-step"]


def test_stored_complaint_is_read_for_a_snapshot_without_one() -> None:
    """G9: empty fields of the complaint are not stored (`records.archive`)."""
    case = closed().case
    record = {**snapshot(case), "complaint": case.complaint.model_dump(mode="json", exclude_none=True)}

    read = Snapshot.model_validate(record)

    assert read.complaint is not None
    assert (read.complaint.wish, read.complaint.customer.email) == (None, None)
    assert read.as_json() == record


def test_snapshot_does_not_change_when_its_case_does() -> None:
    """S22: late messages are detected by the difference."""
    world = replaced()
    before = Snapshot.of(world.case)

    world.says("note", text="more")

    assert before != Snapshot.of(world.case)
    assert len(before.timeline) < len(world.case.timeline)


# Lists in the documents


@pytest.mark.parametrize("path", READMES)
@pytest.mark.parametrize("variable", VARIABLES)
def test_both_readmes_name_every_setting(path: str, variable: str) -> None:
    assert f"`{variable}`" in read(path)


@pytest.mark.parametrize("path", [*READMES, "docs/contract.md"])
@pytest.mark.parametrize("word", [*MESSAGES, *KEYS, contract.TASK_QUEUE, contract.CASE_WORKFLOW])
def test_messages_and_search_attributes_are_listed_in_every_place(path: str, word: str) -> None:
    assert f"`{word}`" in read(path)


@pytest.mark.parametrize(
    "word",
    [
        *vocabulary.Status,
        *vocabulary.Outcome,
        *vocabulary.PromiseState,
        *vocabulary.OfferState,
        *vocabulary.StepState,
        *vocabulary.RemedyKind,
    ],
)
def test_contract_names_every_value_of_a_snapshot(word: str) -> None:
    assert f"`{word}`" in read("docs/contract.md")


@pytest.mark.parametrize("name", MESSAGES)
def test_contract_lists_every_field_of_a_message(name: str) -> None:
    line = next(line for line in read("docs/contract.md").splitlines() if line.startswith(f"| `{name}`"))
    common = {"by", "occurred_at", "message_id"}
    for field in MESSAGES[name].model_fields.keys() - common:
        assert f"`{field}`" in line


@pytest.mark.parametrize("field", Complaint.model_fields)
def test_contract_shows_or_explains_every_field_of_a_complaint(field: str) -> None:
    text = read("docs/contract.md")
    assert f'"{field}"' in text or f"`{field}`" in text


def lines() -> Iterator[tuple[str, str, str]]:
    """Yield line of business, rule and what the rule is about, from the policies."""
    for line, policy in policies.load(ROOT / "policies").items():
        for promise in policy.promises:
            yield line, promise.rule, f"{promise.name}|{promise.within}"
        for remedy in policy.remedies:
            yield line, remedy.rule, "|".join(remedy.options)


@pytest.mark.parametrize(("line", "rule", "about"), sorted(set(lines())))
def test_every_rule_of_a_policy_is_in_the_rules(line: str, rule: str, about: str) -> None:
    section = read("docs/rules.md").partition(f"`{line}`")[2]
    row = next((row for row in section.splitlines() if re.match(rf"\| {rule} \|", row)), "")
    for word in about.split("|"):
        assert f"`{word}`" in row or f"| {word} |" in row, f"{rule} does not say {word}"


@pytest.mark.parametrize("path", [*READMES, *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))])
def test_every_link_to_a_file_exists(path: str) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", read(path))
    made_later = "docs/images/case-in-temporal-ui.png"
    found = [target for target in targets if target != made_later]
    assert [target for target in found if not (ROOT / path).parent.joinpath(target).exists()] == []


def test_contract_distinguishes_facts_and_commands() -> None:
    facts, _, commands = read("docs/contract.md").partition("| command |")
    assert all(f"| `{name}` |" in facts for name in FACTS)
    assert all(f"| `{name}` |" in commands for name in COMMANDS)
