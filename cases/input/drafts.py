"""Reporting all problems at once: a problem with one field does not hide problems with others (G1).

A model with problems is read as a draft, which has only the valid fields. A check stops at a field that the draft does
not have, because that field's own problem is already reported.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from cases.errors import Problem, faults_of
from cases.text import NEW_INPUT

Model = TypeVar("Model", bound=BaseModel)
Where = tuple[int | str, ...]


def read_draft(model: type[Model], raw: dict[str, Any]) -> tuple[Model, list[Problem]]:
    """Return the model in `raw`, which is new input, and its problems. If there are any, the model is a draft."""
    try:
        return model.model_validate(raw, context=NEW_INPUT), []
    except ValidationError as error:
        faulty = [item["loc"] for item in error.errors(include_url=False, include_context=False, include_input=False)]
        return _draft(model, raw, faulty), faults_of(error)


def collect_problems(checks: Iterable[Callable[..., Iterable[Problem]]], *given: Any) -> list[Problem]:
    """Return the problems that the checks find, in order. A check stops at a field that a draft does not have."""
    found: list[Problem] = []
    for check in checks:
        found += _until_missing_field(check, *given)
    return found


def _until_missing_field(check: Callable[..., Iterable[Problem]], *given: Any) -> Iterator[Problem]:
    try:
        yield from check(*given)
    except AttributeError as error:
        if not (isinstance(error.obj, BaseModel) and error.name in type(error.obj).model_fields):
            raise


def _draft(model: type[Model], raw: dict[str, Any], faulty: list[Where]) -> Model:
    made = model.model_construct()
    for name, field in model.model_fields.items():
        mine = [where[1:] for where in faulty if where[0] == name]
        if mine:
            made.__dict__.pop(name, None)
            made.__dict__.update({name: part} if (part := _part(field, raw.get(name), mine)) is not None else {})
        elif name in raw:
            made.__dict__[name] = _field(model, name).validate_python(raw[name], context=NEW_INPUT)
    return made


def _part(field: FieldInfo, raw: Any, faulty: list[Where]) -> Any:
    """Return the valid part of a field that contains models, or None."""
    model = _model_in(field.annotation)
    if model is None or () in faulty:
        return None
    if isinstance(raw, dict):
        return _draft(model, raw, faulty)
    return [_element(model, each, [where[1:] for where in faulty if where[0] == i]) for i, each in enumerate(raw)]


def _element(model: type[BaseModel], raw: Any, faulty: list[Where]) -> BaseModel:
    """Return a draft for one element of a list. It has no fields if the element is invalid, so that indexes stay."""
    return _draft(model, {}, [(name,) for name in model.model_fields]) if () in faulty else _draft(model, raw, faulty)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


@cache
def _field(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(kind)
