"""What others read of us is what the program does: schemas, and lists in the documents."""

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
from settings import ROOT, Settings
from tests.cases.stages import blocked, closed, dissatisfied, escalated, over_limits, paid_out, replaced
from tests.cases.world import World, open_case, snapshot
from tests.complaints import check_complaint
from workflows.search import KEYS

READMES = ("README.md", "README.zh-CN.md")
VARIABLES = [f"AFTER_SALES_{field.upper()}" for field in Settings.model_fields]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def json_of(path: str) -> list[Any]:
    """Every JSON block of a document."""
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", read(path), flags=re.DOTALL)]


# Schemas


@pytest.mark.parametrize("name", schemas.PUBLISHED)
def test_a_published_schema_says_what_the_model_says(name: str) -> None:
    assert read(f"docs/schemas/{name}.json") == schemas.text(name), "write them anew: python -m docs.schemas"


def test_there_is_one_schema_for_each_thing_that_is_public_and_none_besides() -> None:
    assert (
        {path.stem for path in schemas.FOLDER.iterdir()} == {*schemas.PUBLISHED} == {"complaint", "snapshot", *MESSAGES}
    )


@pytest.mark.parametrize("name", schemas.PUBLISHED)
def test_every_schema_is_draft_2020_12(name: str) -> None:
    content = json.loads(read(f"docs/schemas/{name}.json"))
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(content)


@pytest.mark.parametrize("path", [*READMES, "docs/contract.md"])
def test_the_complaint_in_a_document_passes_the_door_and_its_schema(path: str) -> None:
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
def test_what_the_schema_refuses_the_door_refuses_too(spoil: Callable[[dict[str, Any]], None]) -> None:
    complaint = next(block for block in json_of("docs/contract.md") if "case_id" in block)
    spoil(complaint)
    assert not Draft202012Validator(schemas.schema("complaint")).is_valid(complaint)
    with pytest.raises((InvalidInput, ValidationError)):
        check_complaint(complaint, datetime.now(UTC) + timedelta(days=3650))


# The snapshot


def strict(schema: Any) -> Any:
    """The schema without its openness for fields to come: whatever is not described is a fault."""
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
def test_a_snapshot_is_described_by_its_schema_to_the_last_field(story: Callable[[], World]) -> None:
    seen = json.loads(json.dumps(snapshot(story().case)))
    assert [f"{list(e.path)}: {e.message}" for e in EXACTLY.iter_errors(seen)] == []


def test_a_case_that_is_being_admitted_is_described_too() -> None:
    EXACTLY.validate(Snapshot.being_admitted("HL-1").model_dump(mode="json"))


def test_a_field_that_nobody_described_would_be_noticed() -> None:
    seen = json.loads(json.dumps(snapshot(replaced().case)))
    for change in (seen, seen["promises"][0], seen["steps"][0], seen["offers"][0]["options"][0]["remedies"][0]):
        change["new"] = 1
        assert not EXACTLY.is_valid(seen)
        assert Draft202012Validator(SNAPSHOT).is_valid(seen), "readers have to live with fields to come"
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
def test_the_words_of_the_snapshot_are_the_words_of_the_code(where: dict[str, Any], field: str, words: Any) -> None:
    described = where["properties"][field]
    assert described.get("enum", described.get("anyOf", [{}])[0].get("enum")) == [word.value for word in words]


def test_the_snapshot_shows_what_is_paid_under_the_headings_of_the_remedies() -> None:
    assert list(PaidView.model_fields) == list(PAID_AS)


def test_a_reader_takes_what_a_newer_worker_writes_and_hands_it_on() -> None:
    """Contract, *The snapshot*: fields and words may be added."""
    seen = snapshot(replaced().case)
    seen["status"], seen["new"], seen["steps"][0]["new"] = "resting", 1, {"more": [1]}

    read = Snapshot.model_validate(seen)

    assert read.status == "resting"
    assert json.loads(read.model_dump_json()) == seen


def test_a_reader_takes_what_an_earlier_worker_did_not_write_yet() -> None:
    seen = snapshot(blocked().case)
    for later in ("complaint", "awaited", "second_complaints"):
        del seen[later]
    del seen["policy"]["timezone"], seen["steps"][0]["key"]
    seen["needs"] = ["step replacement is blocked: resolve-step"]

    read = Snapshot.model_validate(seen)

    assert (read.complaint, read.awaited, read.second_complaints, read.policy.timezone) == (None, [], [], None)
    assert read.needs == ["step replacement is blocked: resolve-step"]


def test_the_complaint_that_our_database_keeps_for_a_snapshot_without_one_is_read() -> None:
    """G9: what the complaint does not have is not in it (`records.archive`)."""
    case = closed().case
    record = {**snapshot(case), "complaint": case.complaint.model_dump(mode="json", exclude_none=True)}

    read = Snapshot.model_validate(record)

    assert read.complaint is not None
    assert (read.complaint.wish, read.complaint.customer.email) == (None, None)
    assert read.as_json() == record


def test_a_snapshot_stays_as_it_was_when_its_case_goes_on() -> None:
    """S22: what comes too late is noticed by the difference."""
    world = replaced()
    before = Snapshot.of(world.case)

    world.says("note", text="more")

    assert before != Snapshot.of(world.case)
    assert len(before.timeline) < len(world.case.timeline)


# What the documents list


@pytest.mark.parametrize("path", READMES)
@pytest.mark.parametrize("variable", VARIABLES)
def test_both_readmes_name_every_setting(path: str, variable: str) -> None:
    assert f"`{variable}`" in read(path)


@pytest.mark.parametrize("path", [*READMES, "docs/contract.md"])
@pytest.mark.parametrize("word", [*MESSAGES, *KEYS, contract.TASK_QUEUE, contract.CASE_WORKFLOW])
def test_messages_and_search_attributes_are_listed_wherever_people_look(path: str, word: str) -> None:
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
def test_the_contract_names_every_word_of_a_snapshot(word: str) -> None:
    assert f"`{word}`" in read("docs/contract.md")


@pytest.mark.parametrize("name", MESSAGES)
def test_the_contract_gives_every_field_of_a_message_in_the_line_of_that_message(name: str) -> None:
    line = next(line for line in read("docs/contract.md").splitlines() if line.startswith(f"| `{name}`"))
    common = {"by", "occurred_at", "message_id"}
    for field in MESSAGES[name].model_fields.keys() - common:
        assert f"`{field}`" in line


@pytest.mark.parametrize("field", Complaint.model_fields)
def test_the_contract_shows_or_explains_every_field_of_a_complaint(field: str) -> None:
    text = read("docs/contract.md")
    assert f'"{field}"' in text or f"`{field}`" in text


def lines() -> Iterator[tuple[str, str, str]]:
    """Line of business, rule and what the rule promises or is about, from the policies."""
    for line, policy in policies.load(ROOT / "policies").items():
        for promise in policy.promises:
            yield line, promise.rule, f"{promise.name}|{promise.within}"
        for remedy in policy.remedies:
            yield line, remedy.rule, "|".join(remedy.options)


@pytest.mark.parametrize(("line", "rule", "about"), sorted(set(lines())))
def test_every_rule_of_a_policy_stands_in_the_rules(line: str, rule: str, about: str) -> None:
    section = read("docs/rules.md").partition(f"`{line}`")[2]
    row = next((row for row in section.splitlines() if re.match(rf"\| {rule} \|", row)), "")
    for word in about.split("|"):
        assert f"`{word}`" in row or f"| {word} |" in row, f"{rule} does not say {word}"


@pytest.mark.parametrize("path", [*READMES, *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))])
def test_every_link_to_a_file_of_ours_leads_somewhere(path: str) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", read(path))
    made_later = "docs/images/case-in-temporal-ui.png"
    found = [target for target in targets if target != made_later]
    assert [target for target in found if not (ROOT / path).parent.joinpath(target).exists()] == []


def test_facts_and_commands_are_told_apart_in_the_contract() -> None:
    facts, _, commands = read("docs/contract.md").partition("| command |")
    assert all(f"| `{name}` |" in facts for name in FACTS)
    assert all(f"| `{name}` |" in commands for name in COMMANDS)
