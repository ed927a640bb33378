"""Settings and policy files: every fault of theirs is told by its name, so that whoever wrote it can mend it."""

from pathlib import Path

import click
from pydantic import ValidationError
from pydantic_settings import SettingsError

import policies
from cases.errors import InvalidInput, Problem, problems_of
from cases.policy import Policy
from settings import Settings


def known_policies() -> dict[str, Policy]:
    """The policies in force; raises `InvalidInput` with every fault of every file."""
    return policies.load(configured().policies)


def configured() -> Settings:
    """The settings; raises `InvalidInput` naming the variable."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [Problem(field=f"AFTER_SALES_{p.field.upper()}", problem=p.problem) for p in problems_of(error)]
        raise InvalidInput(faults) from None
    except SettingsError as error:
        raise InvalidInput([Problem(field="AFTER_SALES_…", problem=f"{error}: write it as JSON")]) from None


@click.group()
def policy() -> None:
    """Policy files: what a business edits."""


@policy.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(files: tuple[Path, ...]) -> int:
    """Validate policy FILEs, or all of them; names file, key and reason of every fault, exit code 2 if any."""
    folder, shared = configured().policies, policies.SHARED
    everything = {
        path for file in files or (folder / shared,) if file.name == shared for path in file.parent.glob("*.yaml")
    }
    bad = 0
    for path in sorted({*files, *everything}):
        if path.name == shared:
            continue  # what every line shares is checked with each line
        try:
            found = policies.load_file(path)
        except InvalidInput as error:
            bad += 1
            for problem in error.problems:
                click.echo(str(problem))
        else:
            click.echo(f"{path.name}: {found.line} {found.version}, all right")
    return 2 if bad else 0


@policy.command("show")
@click.argument("line")
def show_policy(line: str) -> None:
    """The promises, remedies and terms of a LINE of business, as a table."""
    from console import reading, terms  # noqa: PLC0415 (drawing is loaded only by what draws)

    known = known_policies()
    if line not in known:
        raise click.UsageError(f"there is no line {line}; there are {', '.join(sorted(known))}")
    reading.screen().print(terms.policy(known[line]))


@policy.command("messages")
@click.option("--locale", help="The language, such as en or zh-CN.  [default: all]")
@click.argument("events", metavar="[EVENT]...", nargs=-1)
def show_messages(locale: str | None, events: tuple[str, ...]) -> None:
    """What customers and staff read: every message with made-up facts, or those of the EVENTs named."""
    from messages import EVENTS, LOCALES, preview  # noqa: PLC0415 (texts are loaded only by what reads them)

    if locale is not None and locale not in LOCALES:
        raise click.UsageError(f"there are no texts in {locale}; there are {', '.join(LOCALES)}")
    if unknown := [event for event in events if event not in EVENTS]:
        raise click.UsageError(f"there is no message {unknown[0]}; there are {', '.join(sorted(EVENTS))}")
    for language in [locale] if locale else LOCALES:
        for event, text in preview(language):
            if not events or event in events:
                click.echo(f"── {language} · {EVENTS[event].audience} · {event}\n{text.subject}\n\n{text.body}\n")
