"""The cases and promises behind a review, as Parquet and as CSV (G13)."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from sqlalchemy import Select, TypeDecorator
from sqlalchemy.types import TypeEngine

from records import Records
from records.facts.queries import Scope, exported_cases, exported_promises
from review.counting import Rows
from review.making import Reader

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula in a spreadsheet. Such a text gets an apostrophe before it."""
_TYPES: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
}


def export(records: Records, scope: Scope, folder: Path, reader: Reader) -> None:
    """Write `cases` and `promises` into the folder, each as .parquet and .csv."""
    reader.expect(records.size(scope))
    _write(folder / "cases", exported_cases(scope), reader.passed(records.exported_cases(scope)))
    _write(folder / "promises", exported_promises(scope), reader.passed(records.exported_promises(scope)))


def _write(path: Path, query: Select[Any], rows: Rows) -> None:
    schema = pa.schema([(name, _TYPES[_python_type(column.type)]) for name, column in query.selected_columns.items()])
    with (
        path.with_suffix(".csv").open("w", encoding="utf-8-sig", newline="") as text,
        pq.ParquetWriter(path.with_suffix(".parquet"), schema, compression="zstd") as parquet,
    ):
        sheet = csv.writer(text)
        sheet.writerow(schema.names)
        for part in rows:
            columns = [
                pa.array(values, field.type) for values, field in zip(zip(*part, strict=True), schema, strict=True)
            ]
            parquet.write_batch(pa.record_batch(columns, schema))
            sheet.writerows(_defused(row) for row in part)


def _python_type(column: TypeEngine[Any]) -> type:
    """Return the type of a column's values. A type of ours has those of the one that it is stored as."""
    plain = column.impl_instance if isinstance(column, TypeDecorator) else column
    found: type = plain.python_type
    return found


def _defused(row: Sequence[Any]) -> Iterable[Any]:
    for value in row:
        if isinstance(value, datetime):
            yield value.isoformat()
        elif isinstance(value, str) and value.startswith(FORMULA):
            yield f"'{value}"
        else:
            yield value
