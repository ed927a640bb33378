"""Errors of the domain, with messages for people.

AfterSalesError
├── Refusal            a message or command that cannot be applied; the case is unchanged
└── InvalidInput       a complaint, message or policy file with faults, each named by its field
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ValidationError

from cases.text import replaced

MAX_PROBLEMS, MAX_NAME = 50, 200
"""Limits for error messages, because input controls both: problems per input, and characters of a field's name."""

SafeText = Annotated[str, AfterValidator(replaced)]
"""Text that may quote input. It is reduced to one line without control characters."""


class Problem(BaseModel):
    """One fault in an input: the field, as a dotted path, and a description of the fault."""

    field: SafeText
    problem: SafeText

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class AfterSalesError(Exception):
    """The base class of all errors of this program."""


class Refusal(AfterSalesError):
    """A message that cannot be applied now. The text states the reason and what would be accepted."""


class InvalidInput(AfterSalesError):
    """An input with one or more faults. At most `MAX_PROBLEMS` are listed; the others are only counted."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = _limited(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def _limited(problems: list[Problem]) -> list[Problem]:
    more = len(problems) - MAX_PROBLEMS
    if more <= 0:
        return problems
    return [*problems[:MAX_PROBLEMS], Problem(field="(whole)", problem=f"has {more} more faults")]


def problems_of(error: ValidationError) -> list[Problem]:
    """Return a validation error as one problem per field, at most `MAX_PROBLEMS`.

    Values are left out, because they may be personal data.
    """
    return _limited(faults_of(error))


def faults_of(error: ValidationError) -> list[Problem]:
    """Return all problems of a validation error, without a limit (see `problems_of`)."""
    found = []
    for item in error.errors(include_url=False, include_context=True, include_input=False):
        where = ".".join(printable(str(part)) for part in item["loc"])
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            text = "is required"
        elif item["type"] == "extra_forbidden":
            text = "is not known here"
        found.append(Problem(field=where or "(whole)", problem=text[:1].lower() + text[1:]))
    return found


def printable(name: str) -> str:
    """Return a name from input in a form that is safe to print: one line, no control characters, limited length."""
    return replaced(name[:MAX_NAME])
