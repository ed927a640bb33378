"""An invalid setting is reported in one sentence that names its variable, by every program that reads it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cases.errors import InvalidInput
from settings import ROOT, codec_configured, configured, host_and_port
from starter import main

SECRET = "s3cret"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder without `.env`, and an environment without settings."""
    for name in [name for name in os.environ if name.startswith("AFTER_SALES_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


NO_JSON = "is not JSON ("
FAULTS = [
    ("STAFF_NOTIFY", "{bad " + SECRET, NO_JSON),
    ("STAFF_NOTIFY", "", NO_JSON),
    ("STAFF_NOTIFY", f'{{"team_lead": ["{SECRET}"]}}', "team_lead: input should be a valid string"),
    ("STAFF_NOTIFY", f'{{"quality/manager": {{"x": "{SECRET}"}}}}', "quality/manager: input should be a valid string"),
    ("STAFF_NOTIFY", f'{{"wecombot://{SECRET}": 1}}', "input should be a valid string"),
    ("CUSTOMER_NOTIFY", '{"emial": "json://localhost"}', "emial: input should be 'hotline', "),
    ("STAFF_NOTIFY", f'["{SECRET}"]', "input should be a valid dictionary"),
    ("CUSTOMER_NOTIFY", f"mailtos://user:{SECRET}@example.com", NO_JSON),
    ("CUSTOMER_NOTIFY", f'{{"mailtos://user:{SECRET}@example.com": "email"}}', "input should be 'hotline', "),
    ("DIRECT_CHANNELS", f"sms,{SECRET}", NO_JSON),
    ("DIRECT_CHANNELS", f'["{SECRET}"]', "input should be 'hotline', "),
    ("DIRECT_CHANNELS", "[" * 100_000, "is not usable JSON"),
    ("LOG_LEVEL", SECRET, "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ("LOG_FORMAT", SECRET, "input should be 'auto', 'json' or 'console'"),
    ("STAFF_LOCALE", SECRET, "must be one of en, zh-CN"),
    ("POLICIES", f"/nowhere/{SECRET}", "must be a folder that exists"),
    ("RECONCILE_EVERY", SECRET, "must be a time from 1m to 24h, such as 10m"),
    ("RECONCILE_EVERY", "30s", "must be a time from 1m to 24h, such as 10m"),
    ("RECONCILE_EVERY", "8 working hours", "must be a time from 1m to 24h, such as 10m"),
    ("CACHED_CASES", SECRET, "input should be a valid integer"),
    ("CACHED_CASES", "0", "input should be greater than or equal to 1"),
    ("LINE_QUEUES", SECRET, NO_JSON),
    ("PARTNER_RATES", '{"refund": 5}', "refund: must be one of messaging, refunds, "),
    ("PARTNER_RATES", '{"refunds": 0}', "refunds: input should be greater than 0"),
    ("PUBLIC_URL", SECRET, "must be an address such as https://service.example.com"),
    ("PUBLIC_URL", f"ftp://{SECRET}", "must be an address such as https://service.example.com"),
    ("PUBLIC_URL", f"https://user:{SECRET}@example.com", "must be an address such as https://service.example.com"),
    ("LINK_SECRET", SECRET, "must have at least 32 characters: openssl rand -hex 32"),
    ("METRICS_ADDRESS", f"{SECRET}:9464", "must be ADDRESS:PORT with an IP address"),
    ("METRICS_ADDRESS", "127.0.0.1", "must be ADDRESS:PORT with an IP address"),
    ("METRICS_ADDRESS", "127.0.0.1:65536", "must be ADDRESS:PORT with an IP address"),
]


@pytest.mark.parametrize(("name", "value", "problem"), FAULTS)
def test_fault_names_the_variable_and_never_the_value(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AFTER_SALES_{name}", value)

    with pytest.raises(InvalidInput) as refused:
        configured()

    assert str(refused.value).startswith(f"AFTER_SALES_{name}: {problem}")
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__, "the cause quotes the value"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("TOKENS", "{bad " + SECRET, NO_JSON),
        ("ORIGINS", f"https://{SECRET}", NO_JSON),
        ("ADDRESS", SECRET, "must be HOST:PORT, such as 127.0.0.1:8734"),
        ("ADDRESS", ":8734", "must be HOST:PORT"),
    ],
)
def test_fault_of_the_codec_server_names_the_variable(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AFTER_SALES_CODEC_{name}", value)

    with pytest.raises(InvalidInput) as refused:
        codec_configured()

    assert str(refused.value).startswith(f"AFTER_SALES_CODEC_{name}: {problem}")
    assert SECRET not in str(refused.value)


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTER_SALES_STAFF_NOTIFY", "{bad")
    monkeypatch.setenv("AFTER_SALES_LOG_LEVEL", "LOUD")

    with pytest.raises(InvalidInput) as refused:
        configured()

    assert [p.field for p in refused.value.problems] == ["AFTER_SALES_STAFF_NOTIFY", "AFTER_SALES_LOG_LEVEL"]


def test_valid_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTER_SALES_DIRECT_CHANNELS", '["email"]')
    monkeypatch.setenv("AFTER_SALES_STAFF_NOTIFY", '{"manager": "json://localhost"}')
    monkeypatch.setenv("AFTER_SALES_LOG_LEVEL", "debug")
    monkeypatch.setenv("AFTER_SALES_METRICS_ADDRESS", "[::1]:9464")

    found = configured()

    assert found.direct_channels == {"email"}
    assert found.staff_notify == {"manager": "json://localhost"}
    assert (found.log_level, found.metrics_address) == ("DEBUG", "[::1]:9464")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("LOG_LEVL", "LOG_LEVEL"), ("STAFF_NOTFY", "STAFF_NOTIFY"), ("CODEC_TOKEN", "CODEC_TOKENS"), ("X", "REVIEWS")],
)
@pytest.mark.parametrize("read", [configured, codec_configured])
def test_unknown_setting_is_refused_with_the_nearest_name(
    name: str, nearest: str, read: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AFTER_SALES_{name}", SECRET)

    with pytest.raises(InvalidInput) as refused:
        read()

    assert str(refused.value) == f"AFTER_SALES_{name}: is not a setting; the nearest name is AFTER_SALES_{nearest}"


@pytest.mark.parametrize(
    "name",
    ["SERVICE_HOST", "CODEC_SERVICE_PORT", "CODEC_SERVICE_PORT_HTTP", "PORT", "CODEC_PORT_8734_TCP_ADDR", "TEST_X"],
)
def test_variables_of_kubernetes_and_of_the_tests_are_ignored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes sets these for a Service named `after-sales` or `after-sales-codec`."""
    monkeypatch.setenv(f"AFTER_SALES_{name}", "tcp://10.0.0.1:80")

    assert configured().log_level == "INFO"


def test_every_setting_that_the_project_mentions_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pages, images and the Makefile."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    pages += [ROOT / name for name in ("docker-compose.yml", "Dockerfile", "Makefile")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for name in set(re.findall(r"AFTER_SALES_(?:[A-Z]+_)*[A-Z]+(?![A-Z_])", text)):
        monkeypatch.setenv(name, "")

    with pytest.raises(InvalidInput) as refused:
        configured()

    assert [str(p) for p in refused.value.problems if "is not a setting" in p.problem] == []


class TestADotEnvFile:
    def test_unknown_setting_is_refused(self, alone: Path) -> None:
        (alone / ".env").write_text("AFTER_SALES_LOG_LEVL=DEBUG\nRECORDS_PASSWORD=x\n", encoding="utf-8")

        with pytest.raises(InvalidInput, match=r"^AFTER_SALES_LOG_LEVL: is not a setting"):
            configured()

    def test_values_are_read_as_from_the_environment(self, alone: Path) -> None:
        (alone / ".env").write_text("AFTER_SALES_STAFF_NOTIFY={bad\n", encoding="utf-8")

        with pytest.raises(InvalidInput, match=r"^AFTER_SALES_STAFF_NOTIFY: is not JSON"):
            configured()

    def test_file_that_is_not_utf_8_is_named(self, alone: Path) -> None:
        (alone / ".env").write_bytes(b"AFTER_SALES_LOG_LEVEL=\xff\xfe")

        with pytest.raises(InvalidInput, match=r"^\.env: is not text in UTF-8$"):
            configured()


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:7233", ("127.0.0.1", 7233)),
        ("cloud.example.com:0", ("cloud.example.com", 0)),
        ("[::1]:1", ("::1", 1)),
    ],
)
def test_address_has_two_parts(address: str, parts: tuple[str, int]) -> None:
    assert host_and_port(address) == parts


@pytest.mark.parametrize(
    "address",
    [
        "",
        ":",
        "host",
        "host:",
        ":1",
        "host:65536",
        "host:-1",
        "http://host:1",
        "::1:1",
        "[::1",
        "a b:1",
        "h:١",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^must be HOST:PORT"):
        host_and_port(address)


def assert_bad_input(code: int, capsys: pytest.CaptureFixture[str], sentence: str) -> None:
    """Exit code 2, and nothing but the sentence in one line."""
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith(sentence)
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["list"], ["up"], ["demo"], ["plan", os.devnull], ["policy", "check"]])
def test_every_verb_that_reads_settings_exits_with_the_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFTER_SALES_STAFF_NOTIFY", "{bad")

    assert_bad_input(main(arguments), capsys, "AFTER_SALES_STAFF_NOTIFY: is not JSON (")


@pytest.mark.parametrize("arguments", [["list"], ["show", "HL-1"], ["stuck"], ["note", "HL-1", "--text", "hello"]])
def test_faulty_encryption_keys_are_bad_input_for_every_verb(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFTER_SALES_ENCRYPTION_KEYS", "k1:c2hvcnQ=")

    assert_bad_input(main(arguments), capsys, "AFTER_SALES_ENCRYPTION_KEYS: key k1 has 5 bytes, AES-256 needs 32")


@pytest.mark.parametrize("program", ["worker.py", "-m encryption.server", "-m bench compare"])
def test_every_program_exits_with_the_sentence(program: str, alone: Path) -> None:
    python = [sys.executable, *(str(ROOT / "worker.py") if p == "worker.py" else p for p in program.split())]
    done = subprocess.run(
        python,
        env={**os.environ, "AFTER_SALES_STAFF_NOTIFY": "{bad", "PYTHONPATH": str(ROOT)},
        cwd=alone,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("AFTER_SALES_STAFF_NOTIFY: is not JSON (")
    assert done.stderr.count("\n") == 1


def test_worker_for_an_unknown_line_exits_with_the_sentence(alone: Path) -> None:
    command = [sys.executable, str(ROOT / "worker.py"), "--lines", "express,expres"]
    env = {**os.environ, "AFTER_SALES_DATABASE_URL": f"sqlite:///{alone / 'records.db'}"}
    done = subprocess.run(command, env=env, cwd=alone, capture_output=True, text=True, timeout=90, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("--lines: there is no line expres, only building_materials, express, ")


@pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:7233", "127.0.0.1:99999", "[::1"])
def test_invalid_temporal_address_is_refused_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)

    code = main(["list"])

    assert code == 1
    assert capsys.readouterr().err == (
        f"TEMPORAL_ADDRESS (or the address of its profile): {address} is not HOST:PORT, such as 127.0.0.1:7233\n"
    )
