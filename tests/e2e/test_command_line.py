"""Every user error ends with a sentence that says what to do, and the right exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from settings import ROOT
from starter import main
from tests.e2e.driving import Result, Starter, complaint

File = Callable[..., Path]
POLICIES = ROOT / "policies"


def of_policy(folder: Path, old: str, new: str) -> Path:
    """A policy folder in which one policy has a change."""
    for path in POLICIES.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name == "building_materials.yaml":
            assert old in text
            text = text.replace(old, new, 1)
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder / "building_materials.yaml"


class TestOpen:
    def test_each_fault_is_reported_with_its_field(self, starter: Starter, file: File) -> None:
        faults = [
            (complaint(line="groceries"), "line: there is no line groceries; there are "),
            (complaint(topic="transport.fire"), "topic: building_materials has no topic transport.fire"),
            (complaint(order__amount="-5.00"), "order.amount: must not be negative"),
            (complaint(order__amount="1.005"), "order.amount: has more than two digits after the point"),
            (complaint(order__amount="10.00", order__freight="0.00"), "order.items: cost "),
            (complaint(received_at="2099-01-01T00:00:00Z"), "received_at: 2099-01-01T00:00:00+00:00 is in the future"),
            (complaint(customer={"name": "Wang"}), "customer: needs a phone or an email"),
            (complaint(description="x" * 70_000), "(whole): is larger than 65536 bytes"),
            (["no", "object"], "(whole): must be a JSON object, a complaint"),
            ('{"case_id": ', "(whole): is not JSON"),
        ]  # no more: of entries that are not complaints only the first two are named
        path = file(*(bad for bad, _ in faults))

        result = starter("open", path)

        lines = result.out.splitlines()
        assert result.code == 1
        assert len(lines) == len(faults)
        for number, (line, (_, sentence)) in enumerate(zip(lines, faults, strict=True), start=1):
            assert line.startswith(f"{path}:{number} ")
            assert f"refused: {sentence}" in line

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ('{"case_id": NaN}', "NaN is no JSON number"),
            ('{"case_id": ' + "[" * 100_000, "(whole): is nested too deeply"),
        ],
    )
    def test_input_that_is_not_a_complaint_is_reported(
        self, starter: Starter, file: File, content: str, sentence: str
    ) -> None:
        result = starter("open", file(content))

        assert result.code == 1
        assert sentence in result.out

    @pytest.mark.parametrize("content", ["[]", "", "\ufeff\n\n"])
    def test_an_empty_file_is_bad_input(self, starter: Starter, file: File, content: str) -> None:
        path = file(content)

        result = starter("open", path)

        assert result == Result(2, "", f"{path} is empty: it contains no complaint\n")

    def test_bad_complaints_are_named_by_file_and_line(self, starter: Starter, file: File) -> None:
        path = file(complaint(line="groceries"), "{broken", "", complaint(case_id="HL-4", order__amount="-1.00"))

        result = starter("open", path)

        starts = [line.partition(" refused:")[0] for line in result.out.splitlines()]
        assert starts == [f"{path}:1 HL-1", f"{path}:2", f"{path}:4 HL-4"]
        assert result.code == 1

    def test_a_file_that_is_not_there_is_bad_usage(self, starter: Starter, tmp_path: Path) -> None:
        result = starter("open", tmp_path / "nothing.json")

        assert result.code == 2
        assert "nothing.json" in result.err

    def test_bytes_that_are_no_text_are_refused(self, starter: Starter, tmp_path: Path) -> None:
        path = tmp_path / "binary.json"
        path.write_bytes(b"\xff\xfe\x00{")

        result = starter("open", path)

        assert (result.code, result.out) == (1, f"{path} refused: (whole): is not text in UTF-8\n")


class TestWithoutAServer:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["show", "HL-1"],
            ["list"],
            ["stuck"],
            ["watch", "HL-1"],
            ["skip", "HL-1", "24h"],
            ["note", "HL-1", "--text", "hello"],
            ["policy", "preview"],
            ["policy", "move", "HL-1", "--by", "li", "--reason", "new terms"],
        ],
    )
    def test_the_address_is_named_and_how_to_start_one(self, starter: Starter, arguments: list[str]) -> None:
        result = starter(*arguments)

        assert result.code == 1
        assert result.out == ""
        assert "no server answers at 127.0.0.1:" in result.err
        assert 'start one with "starter.py up", or set TEMPORAL_ADDRESS' in result.err

    def test_valid_complaint_does_not_wait(self, process: Starter, file: File) -> None:
        result = process("open", file(complaint()))

        assert result.code == 1
        assert "no server answers at" in result.err

    def test_an_unknown_profile_of_temporal_is_named(self, starter: Starter) -> None:
        result = starter("list", TEMPORAL_PROFILE="nowhere")

        assert result.code == 1
        assert "nowhere" in result.err


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["frobnicate"], "No such command 'frobnicate'"),
            (["show"], "Missing argument 'CASE'"),
            (["satisfaction-reported", "HL-1", "--score", "9"], "score: input should be less than or equal to 5"),
        ],
    )
    def test_bad_usage_exits_with_2(self, process: Starter, arguments: list[str], sentence: str) -> None:
        result = process(*arguments)

        assert result.code == 2
        assert sentence in " ".join(result.err.split())

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["up", "--port", "99999"], "99999 is not in the range"),
            (["up", "--ephemeral", "--data", "somewhere"], "use one of the two"),
            (["list", "--status", "asleep"], "'asleep' is not one of"),
            (["skip", "HL-1", "soon"], '"soon" is not a duration'),
            (["skip", "HL-1", "2", "working", "days"], "cannot be working time"),
            (["policy", "show", "groceries"], "there is no line groceries; choose one of "),
            (["policy", "preview", "nothing.yaml"], "'nothing.yaml' does not exist"),
            (["policy", "move", "HL-1", "--by", "li"], "Missing option '--reason'"),
            (["policy", "move", "HL-1", "--by", "li", "--reason", "x" * 6_000], "reason: string should have at most"),
            (["move-policy", "HL-1", "--reason", "new terms"], "by: is required"),
            (["customer-declined", "HL-1"], "reason: is required"),
            (["assess", "HL-1", "--severity", "awful"], "'awful' is not one of 'minor', 'moderate', 'severe'"),
            (["evidence-received", "HL-1", "--evidence", "photo"], "write it as KIND=URI"),
            (["propose", "HL-1", "--options", "{oops"], "is not JSON"),
            (["note", "HL-1", "--payload", "[1]"], "--payload takes a JSON object"),
            (["note", "HL-1", "--payload", '{"txet": "hello"}'], "txet: is not known here"),
            (["note", "HL-1", "--text", "x" * 6_000], "text: string should have at most 5000 characters"),
        ],
    )
    def test_invalid_arguments_are_refused_before_the_server_is_asked(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
    ) -> None:
        code = main(arguments)

        assert code == 2
        assert sentence in " ".join(capsys.readouterr().err.split())

    def test_a_setting_that_cannot_be_used_is_named_by_its_variable(self, starter: Starter) -> None:
        result = starter("policy", "check", AFTER_SALES_LOG_FORMAT="yaml")

        assert result.code == 2
        assert "AFTER_SALES_LOG_FORMAT: input should be 'auto', 'json' or 'console'" in result.err


class TestPolicyFiles:
    def test_included_policies_are_valid(self, starter: Starter) -> None:
        result = starter("policy", "check", *POLICIES.glob("*.yaml"))

        assert result.code == 0
        assert "building_materials.yaml: building_materials" in result.out

    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            ("within: 10m", "within: 10 parsecs", 'promises.0.within: "10 parsecs" is not a duration'),
            ("within: 10m", "withni: 10m", "promises.0.within: is required"),
            ("topics:\n", "topics: [\n", "line "),
        ],
    )
    def test_fault_is_reported_with_file_key_and_reason(
        self, starter: Starter, tmp_path: Path, old: str, new: str, fault: str
    ) -> None:
        path = of_policy(tmp_path, old, new)

        result = starter("policy", "check", path)

        assert result.code == 2
        assert f"building_materials.yaml: {fault}" in result.out

    def test_nothing_is_planned_with_a_faulty_policy(self, starter: Starter, file: File, tmp_path: Path) -> None:
        of_policy(tmp_path, "within: 10m", "within: 10 parsecs")

        result = starter("plan", file({"complaint": complaint()}), AFTER_SALES_POLICIES=str(tmp_path))

        assert (result.code, result.out) == (2, "")
        assert '"10 parsecs" is not a duration' in result.err

    def test_policy_is_shown_in_readable_form(self, starter: Starter) -> None:
        result = starter("policy", "show", "building_materials")

        assert result.code == 0
        assert "B12" in result.out
        assert "compensation 10-20% of order" in result.out


class TestPlan:
    def test_needs_no_server_and_prints_json_alone(self, process: Starter) -> None:
        """B1, B4, B11."""
        line = json.dumps(
            {"complaint": complaint(), "finding": {"severity": "moderate"}, "now": "2026-11-18T10:00:00+08:00"}
        )

        result = process("plan", "-", stdin=line + "\n")

        planned = json.loads(result.out)
        assert {p["name"]: p["due_at"] for p in planned["promises"]} == {
            "acknowledge": "2026-11-18T09:10:00+08:00",
            "detailed_result": "2026-11-20T09:00:00+08:00",
        }
        assert [option["key"] for option in planned["offer"]["options"]] == ["replace"]
        assert (result.code, result.err) == (0, "")

    @pytest.mark.parametrize("written", ["a line", "lines", "wrapped on lines"])
    def test_takes_a_bare_complaint_on_one_line_or_on_many(
        self, starter: Starter, tmp_path: Path, written: str
    ) -> None:
        given = {"complaint": complaint()} if written.startswith("wrapped") else complaint()
        path = tmp_path / "complaint.json"
        path.write_text(json.dumps(given, indent=None if written == "a line" else 2), encoding="utf-8")

        result = starter("plan", path)

        assert result.code == 0
        assert [p["name"] for p in json.loads(result.out)["promises"]] == ["acknowledge", "detailed_result"]

    def test_of_a_wrong_file_two_faults_are_enough(self, starter: Starter) -> None:
        result = starter("plan", ROOT / "README.md")

        problems = [json.loads(line)["errors"][0]["problem"] for line in result.out.splitlines()]
        assert (result.code, len(problems)) == (2, 3)
        assert "more lines cannot be read either" in problems[2]

    def test_takes_an_array_as_open_does(self, starter: Starter, file: File) -> None:
        """Contract: a plan for each complaint."""
        path = file(json.dumps([complaint(), {"complaint": complaint(urgent="yes")}], indent=1))

        result = starter("plan", path)

        plan, refused = map(json.loads, result.out.splitlines())
        assert [p["name"] for p in plan["promises"]] == ["acknowledge", "detailed_result"]
        assert refused == {"errors": [{"field": "urgent", "problem": "must be true or false"}]}
        assert result.code == 2

    def test_of_an_empty_file_is_nothing(self, starter: Starter, tmp_path: Path) -> None:
        (tmp_path / "empty").write_bytes(b"\n")

        assert starter("plan", tmp_path / "empty") == Result(0, "", "")

    def test_gives_every_line_an_answer_and_bad_ones_their_errors(self, starter: Starter, file: File) -> None:
        path = file({"complaint": complaint()}, "{broken", "", {"complaint": complaint(order__amount="-1.00")})

        result = starter("plan", path)

        errors = [json.loads(line).get("errors", []) for line in result.out.splitlines()]
        assert [[error["field"] for error in found] for found in errors] == [[], ["(whole)"], ["order.amount"]]
        assert result.code == 2
