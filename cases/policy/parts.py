"""Common types of policy files: parts without unknown keys, shares, and titles."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Part(BaseModel):
    """A base for parts of a policy. Unknown keys are refused: a misspelt key would silently change a promise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _share(value: object) -> object:
    """Return 0.8 for `80%`."""
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value.strip())):
        return float(Decimal(match[1]) / 100)
    return value


_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%", re.ASCII)


Share = Annotated[float, BeforeValidator(_share), Field(gt=0, le=10)]

Probability = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1)]
"""A share from 0 to 1, which can be written as `5%`."""


class Titles(Part):
    """A name in both languages."""

    zh: Annotated[str, Field(alias="zh-CN")]
    en: str
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)
