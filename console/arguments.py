"""What several verbs take and print: a case's id, JSON, and examples under their help."""

import json
from collections.abc import Iterable
from typing import Any

import click

PREFIX = "case-"
"""Before a case's id in Temporal (`cases.vocabulary.workflow_id`); people copy either."""


class CaseId(click.ParamType[str]):
    """A case's id, with or without the `case-` that Temporal's workflow ids begin with."""

    name = "CASE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id alone."""
        found = str(value).strip().removeprefix(PREFIX)
        if not found:
            self.fail("is empty: give the id of a case", param, ctx)
        return found


CASE = CaseId()
IN_JSON = "Print JSON, for programs."
in_json = click.option("--json", "as_json", is_flag=True, help=IN_JSON)


def print_json(value: Any) -> None:
    """One line of JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))


def examples(*lines: str) -> str:
    """The end of a verb's help: command lines to copy, without the program's name; kept as they are written."""
    heading = "Example:" if len(lines) == 1 else "Examples:"
    return "\b\n" + "\n".join([heading, *(f"  starter.py {line}" for line in lines)])


def one_of(option: str, value: str, known: Iterable[str]) -> None:
    """Raise `click.BadParameter` where `value` is none of what `option` can be."""
    if value not in known:
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value[:100])
        message = f"{shown!r} is not one of {', '.join(sorted(known))}"
        raise click.BadParameter(message, param_hint=f"'{option}'")
