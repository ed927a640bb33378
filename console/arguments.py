"""What several verbs take and print: a case's id, JSON, and examples under their help."""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import click

PREFIX = "case-"
"""Before a case's id in Temporal (`cases.vocabulary.workflow_id`); people copy either."""
_CASE_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
"""As the contract has it (`cases.complaint.CaseId`), without loading what reads complaints."""


class CaseId(click.ParamType[str]):
    """A case's id, with or without the `case-` that Temporal's workflow ids begin with, and however wide."""

    name = "CASE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id alone."""
        found = unicodedata.normalize("NFKC", str(value)).strip().removeprefix(PREFIX)
        if not found:
            self.fail("is empty: give the id of a case", param, ctx)
        if not _CASE_ID.fullmatch(found):
            # As it is escaped: of what nobody sees the sentence would show nothing.
            self.fail(f"{found!a} is no id of a case, which has 1 to 100 of A-Z a-z 0-9 . _ : -", param, ctx)
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
