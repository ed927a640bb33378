"""Every verb has a help with a working example, a sentence for each option, and no rule codes."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from cases.inbox.messages import MESSAGES
from console import words
from starter import cli, main

RULE = re.compile(r"\b[A-Z]\d{1,2}\b")
PROGRAM = "starter.py "


def verbs(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        yield " ".join([*path, name]), command
        if isinstance(command, click.Group):
            yield from verbs(command, *path, name)


VERBS = dict(verbs(cli))


def help_of(verb: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*verb.split(), "--help"]) == 0
    return capsys.readouterr().out


def examples(text: str) -> list[str]:
    """Return the command lines of its examples; a pipe counts as two."""
    lines = re.split(r"\n\s+Examples?:\n", text)[1].splitlines()
    return [part.strip().removeprefix(PROGRAM) for line in lines for part in line.split("|")]


def test_every_message_has_a_verb_and_every_field_a_sentence() -> None:
    assert set(MESSAGES) == set(words.MESSAGES)
    assert {field for model in MESSAGES.values() for field in model.model_fields} == set(words.FIELDS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_ends_with_an_example_that_works(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = examples(help_of(verb, capsys))

    assert any(line.startswith(verb) for line in lines)
    for line in lines:
        name, *arguments = shlex.split(line)
        command: click.Command = VERBS[name]
        while isinstance(command, click.Group) and (arguments[:1] or ["-"])[0] in command.commands:
            name, *arguments = [f"{name} {arguments[0]}", *arguments[1:]]
            command = VERBS[name]
        if "drafts/" not in line:  # a file of the reader
            command.make_context(name, ["-" if argument.endswith(".json") else argument for argument in arguments])


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_has_a_sentence(verb: str) -> None:
    options = [param for param in VERBS[verb].params if isinstance(param, click.Option)]

    for option in options:
        assert option.help, option.opts
        assert re.match(r"[A-Z].*[.](  \[required\])?$", option.help), option.help


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_no_help_names_a_rule_by_its_code(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not RULE.search(help_of(verb, capsys))


def test_first_page_names_every_verb_in_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of("", capsys)

    assert all(re.search(rf"^  {verb}\b", text, re.MULTILINE) for verb in VERBS if " " not in verb)
    assert "..." not in text.partition("\n")[2]
