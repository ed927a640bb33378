"""What can go wrong, for people to read.

AfterSalesError
├── Refusal            a message or command that cannot be applied; the case is unchanged
└── InvalidInput       a complaint, message or policy file with faults, each named by its field
"""

from pydantic import BaseModel, ValidationError


class Problem(BaseModel):
    """One fault of an input: the field (dotted path) and what is wrong with it."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class AfterSalesError(Exception):
    """The root of this program's own errors."""


class Refusal(AfterSalesError):
    """A message that cannot be applied now; says why and what would be accepted."""


class InvalidInput(AfterSalesError):
    """An input with one or more faults."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


def problems_of(error: ValidationError) -> list[Problem]:
    """Pydantic's findings as one sentence for each field, without values (they may be personal)."""
    found = []
    for item in error.errors(include_url=False, include_context=True, include_input=False):
        where = ".".join(str(part) for part in item["loc"])
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            text = "is required"
        elif item["type"] == "extra_forbidden":
            text = "is not known here"
        found.append(Problem(field=where or "(whole)", problem=text[:1].lower() + text[1:]))
    return found
