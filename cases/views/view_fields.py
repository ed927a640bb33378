"""Field types of the views that other programs read: times, amounts, enumerations, and fields that can be omitted."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

T = TypeVar("T")


def one_of(words: type[StrEnum] | Iterable[str]) -> WithJsonSchema:
    """Return the JSON Schema of a `str` with these values. Readers accept others, which newer workers can add."""
    return WithJsonSchema({"type": "string", "enum": [str(word) for word in words]})


def _no_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


Omittable = Annotated[
    T | SkipJsonSchema[None], Field(exclude_if=lambda value: value is None, json_schema_extra=_no_default)
]
"""Omitted from the JSON when it is None."""
OffsetTime = Annotated[
    AwareDatetime,
    PlainSerializer(datetime.isoformat, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time that is written with `+00:00` in UTC; all other times of a snapshot are written with `Z`."""
Amount = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:.2f}", when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d{2}$", "examples": ["640.00"]}),
]
"""Money in the order's currency; `"640.00"` in JSON."""
Cycle = Annotated[int, Field(ge=1)]
Quantity = Annotated[int, Field(ge=1)]


class View(BaseModel):
    """A base for views. A view is created from the state of a case or parsed from JSON. Unknown fields are kept."""

    model_config = ConfigDict(extra="allow", from_attributes=True, use_attribute_docstrings=True)

    def as_json(self) -> dict[str, Any]:
        """Return the view as JSON values. A parsed view has no defaults for fields that were missing."""
        return self.model_dump(mode="json", exclude_unset=True)
