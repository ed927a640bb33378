"""What can go wrong, for people to read.

AfterSalesError
├── Refusal            a message or command that cannot be applied; the case is unchanged
└── InvalidInput       a complaint, message or policy file with faults, each named by its field
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ValidationError

from cases.text import replaced

MAX_PROBLEMS, MAX_NAME = 50, 200
"""Problems of one input that are listed, and characters of a field's name, because both come from outside."""

SafeText = Annotated[str, AfterValidator(replaced)]
"""Text that may quote input: on one line, and without control characters."""


class Problem(BaseModel):
    """One fault of an input: the field (dotted path) and what is wrong with it."""

    field: SafeText
    problem: SafeText

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class AfterSalesError(Exception):
    """The root of this program's own errors."""


class Refusal(AfterSalesError):
    """A message that cannot be applied now; says why and what would be accepted."""


class InvalidInput(AfterSalesError):
    """An input with one or more faults; of more than `MAX_PROBLEMS` the rest is counted."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = _told(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def _told(problems: list[Problem]) -> list[Problem]:
    more = len(problems) - MAX_PROBLEMS
    if more <= 0:
        return problems
    return [*problems[:MAX_PROBLEMS], Problem(field="(whole)", problem=f"has {more} more faults")]


def problems_of(error: ValidationError) -> list[Problem]:
    """Pydantic's findings as one sentence for each field, without values (they may be personal); not too many."""
    return _told(faults_of(error))


def faults_of(error: ValidationError) -> list[Problem]:
    """As `problems_of`, and all of them."""
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
    """A stranger's name for something, fit for a sentence: no line ends, no orders to a terminal, not endless."""
    return replaced(name[:MAX_NAME])
