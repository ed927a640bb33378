"""What several verbs share: the argument for a case id, JSON output, and examples in the help."""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import click

PREFIX = "case-"
"""The prefix of a case's workflow id in Temporal (`cases.vocabulary.workflow_id`); people copy either id."""
_CASE_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
"""The pattern of `cases.complaint.CaseId`, repeated here because loading that module is slow."""


class CaseId(click.ParamType[str]):
    """A case id, with or without the prefix `case-`, in normal or full-width characters."""

    name = "CASE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id without the prefix."""
        found = unicodedata.normalize("NFKC", str(value)).strip().removeprefix(PREFIX)
        if not found:
            self.fail("is empty: enter a case id", param, ctx)
        if not _CASE_ID.fullmatch(found):
            # Escaped, so that the sentence shows invisible characters too.
            self.fail(f"{found!a} is not a case id: use 1 to 100 of A-Z a-z 0-9 . _ : -", param, ctx)
        return found


class Limit(click.ParamType[int]):
    """A number of cases, or `all`."""

    name = "NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; `ALL` for all."""
        if value == "all":
            return ALL
        if not (str(value).isascii() and str(value).isdigit() and 0 < int(value) < ALL):
            self.fail("write a number such as 200, or all", param, ctx)
        return int(value)


CASE = CaseId()
LIMIT = Limit()
ALL = 10**9
"""The value of `--limit all`."""
IN_JSON = "Print JSON, for programs."
in_json = click.option("--json", "as_json", is_flag=True, help=IN_JSON)


def print_json(value: Any) -> None:
    """Print one line of JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))


def examples(*lines: str) -> str:
    """Return the last part of a verb's help: command lines to copy. Pass them without the program's name."""
    heading = "Example:" if len(lines) == 1 else "Examples:"
    return "\b\n" + "\n".join([heading, *(f"  starter.py {line}" for line in lines)])


def one_of(option: str, value: str, known: Iterable[str]) -> None:
    """Raise `click.BadParameter` if `value` is not among the `known` values of `option`."""
    if value not in known:
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value[:100])
        message = f"{shown!r} is not one of {', '.join(sorted(known))}"
        raise click.BadParameter(message, param_hint=f"'{option}'")
