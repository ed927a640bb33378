"""The cases and promises behind a review, as Parquet and as CSV (G13)."""

import codecs
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyarrow import csv
from sqlalchemy import Select, TypeDecorator
from sqlalchemy.types import TypeEngine

from records import Records
from records.facts.queries import Scope, exported_cases, exported_promises
from review.counting import Rows
from review.making import Reader

FORMULA = r"^[=+\-@\t\r]"
"""What begins a formula in a spreadsheet."""
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
    with path.with_suffix(".csv").open("wb") as text:
        text.write(codecs.BOM_UTF8)  # without it a spreadsheet takes the file for another encoding
        with (
            pq.ParquetWriter(path.with_suffix(".parquet"), schema, compression="zstd") as parquet,
            csv.CSVWriter(text, schema) as sheet,
        ):
            for part in rows:
                by_column = zip(zip(*part, strict=True), schema, strict=True)
                columns = [pa.array(values, field.type) for values, field in by_column]
                parquet.write_batch(pa.record_batch(columns, schema))
                sheet.write_batch(pa.record_batch([_defused(column) for column in columns], schema))


def _python_type(column: TypeEngine[Any]) -> type:
    """Return the type of a column's values. A type of ours has those of the one that it is stored as."""
    plain = column.impl_instance if isinstance(column, TypeDecorator) else column
    found: type = plain.python_type
    return found


def _defused(column: pa.Array) -> pa.Array:
    """Return the column with an apostrophe before each text that a spreadsheet would take for a formula."""
    if column.type != pa.string():
        return column
    quoted = pc.binary_join_element_wise("'", column, "")
    return pc.if_else(pc.match_substring_regex(column, FORMULA), quoted, column)
