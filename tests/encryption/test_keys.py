"""Keys come from text or a file, the first one encrypts, and nothing ever shows them."""

import base64
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload

from cases.errors import AfterSalesError
from encryption import data_converter
from encryption.codec import Encryption, seal, unseal
from encryption.keys import KeyFault, KeyOutOfReach, KeyRing, new_key
from settings import ROOT, Settings

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"plain"')
PLACE = ("default", "case-1")


def test_first_key_encrypts_and_every_key_decrypts() -> None:
    old, new = new_key("2026-10"), new_key("2026-11")
    before = seal(KeyRing(text=old), PLAIN, PLACE)
    both = KeyRing(text=f"{new},{old}")

    after = seal(both, PLAIN, PLACE)

    assert before.metadata["key"].startswith(b"2026-10.")
    assert after.metadata["key"].startswith(b"2026-11.")
    assert unseal(both, before, PLACE) == unseal(both, after, PLACE) == PLAIN


def test_payload_with_a_missing_key_is_an_error_that_names_the_key() -> None:
    sealed = seal(KeyRing(text=new_key("2026-10")), PLAIN, PLACE)

    with pytest.raises(KeyOutOfReach, match=r"no key 2026-10\.[0-9a-f]{8} here: put it back into AFTER_SALES_ENCR"):
        unseal(KeyRing(text=new_key("2026-11")), sealed, PLACE)


def test_wrong_key_under_the_right_id_counts_as_a_missing_key_not_as_a_forgery() -> None:
    """Otherwise a mistake in the settings would have valid messages refused for good."""
    sealed = seal(KeyRing(text=new_key("k1")), PLAIN, PLACE)

    with pytest.raises(KeyOutOfReach):
        unseal(KeyRing(text=new_key("k1")), sealed, PLACE)


# The same in every process that collects these tests, and used nowhere else.
SECRET, SHORT = (base64.b64encode(bytes(range(size))).decode() for size in (32, 16))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no key"),
        (" , ", "no key"),
        (SECRET, "key 1 has no id"),
        (f"a:{SECRET},{SECRET}", "key 2 has no id"),
        (f"a b:{SECRET}", "key 1 has no id"),
        (f"a/b:{SECRET}", "key 1 has no id"),
        (f"a:{SHORT}", "key a has 16 bytes, AES-256 needs 32"),
        ("a:", "key a has 0 bytes"),
        (f"a:{SECRET[:-2]}", "key a is not base64"),
        (f"a:!{SECRET}", "key a is not base64"),
        (f"a:{SECRET},a:{SECRET}", "two keys have the id a"),
    ],
)
def test_fault_is_one_sentence_with_its_place_that_quotes_no_key(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(text, encoding="ascii")

    for configured, where in (({"text": text}, "AFTER_SALES_ENCRYPTION_KEYS: "), ({"file": file}, f"{file}: ")):
        with pytest.raises(KeyFault) as fault:
            KeyRing(**configured)
        assert str(fault.value).startswith(where + message)
        assert "\n" not in str(fault.value)
        assert SECRET[:8] not in str(fault.value)
        assert SHORT[:8] not in str(fault.value)


def test_settings_name_keys_or_a_file_of_keys_but_not_both(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{new_key('k2')}\n{new_key('k1')}\n", encoding="ascii")

    assert KeyRing.of(Settings()) is None
    from_text = KeyRing.of(Settings(encryption_keys=new_key("k1")))
    assert from_text is not None
    assert from_text.current.name.startswith("k1.")
    from_file = KeyRing.of(Settings(encryption_keys_file=file))
    assert from_file is not None
    assert from_file.current.name.startswith("k2.")
    with pytest.raises(KeyFault, match="AFTER_SALES_ENCRYPTION_KEYS_FILE is also set: remove one"):
        KeyRing.of(Settings(encryption_keys=new_key("k1"), encryption_keys_file=file))


@pytest.mark.parametrize("what", ["missing", "a folder", "binary"])
def test_unreadable_file_is_reported_at_start_up(tmp_path: Path, what: str) -> None:
    file = tmp_path / "keys"
    if what == "a folder":
        file.mkdir()
    elif what == "binary":
        file.write_bytes(b"\xff\xfe")

    with pytest.raises(AfterSalesError, match=f"{file} (cannot be read|is not a text file)"):
        KeyRing(file=file)


def rewritten(file: Path, text: str) -> None:
    """Replace the file, as a mounted secret changes."""
    other = file.with_suffix(".new")
    other.write_text(text, encoding="ascii")
    os.replace(other, file)  # noqa: PTH105 (the call that secret mounts use)


def test_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file, old, new = tmp_path / "keys", new_key("old"), new_key("new")
    rewritten(file, old)
    keys = KeyRing(file=file)
    before = seal(keys, PLAIN, PLACE)

    rewritten(file, f"{new}\n{old}\n")
    after = seal(keys, PLAIN, PLACE)
    assert after.metadata["key"].startswith(b"new.")
    assert unseal(keys, before, PLACE) == PLAIN

    rewritten(file, new)
    with pytest.raises(KeyOutOfReach, match=f"put it back into {file}"):
        unseal(keys, before, PLACE)
    rewritten(file, f"{new}\n{old}\n")
    assert unseal(keys, before, PLACE) == PLAIN


@pytest.mark.parametrize("fault", ["gone", "empty", "faulty"])
def test_file_that_becomes_unusable_leaves_the_keys_in_force_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """The result of an activity must not be lost because it cannot be encrypted."""
    file, key = tmp_path / "keys", new_key("k1")
    rewritten(file, key)
    keys = KeyRing(file=file)

    with caplog.at_level(logging.WARNING):
        if fault == "gone":
            file.unlink()
        else:
            rewritten(file, "" if fault == "empty" else "k1:short")
        assert [unseal(keys, seal(keys, PLAIN, PLACE), PLACE) for _ in range(3)] == [PLAIN] * 3
    assert len(caplog.records) == 1
    assert "stay in use" in caplog.text

    rewritten(file, f"{new_key('k2')}\n{key}")
    assert keys.current.name.startswith("k2.")


def test_nothing_shows_a_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = new_key("k1")
    secret = key.partition(":")[2]
    file = tmp_path / "keys"
    rewritten(file, new_key("k0"))
    settings, keys = Settings(encryption_keys=key), KeyRing(file=file)
    with caplog.at_level(logging.DEBUG):
        rewritten(file, key)
        shown = [settings, settings.model_dump_json(), keys, keys.current, Encryption(keys), data_converter(settings)]

    output = caplog.text + "".join(map(repr, shown)) + "".join(map(str, shown))
    assert "k1." in output
    assert secret not in output
    assert repr(base64.b64decode(secret))[2:10] not in output


def test_command_generates_keys_that_the_settings_accept() -> None:
    command = [sys.executable, "-m", "encryption", "new-key"]
    made = subprocess.run([*command, "2026-11"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    bad = subprocess.run([*command, "no spaces"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert KeyRing(text=made).current.name.startswith("2026-11.")
    assert (bad.returncode, bad.stdout, bad.stderr) == (2, "", "id: must be 1 to 40 characters of A-Z a-z 0-9 _ -\n")
