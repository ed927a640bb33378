"""The exports are the same from both databases, in UTC (G13)."""

from datetime import datetime
from operator import itemgetter
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]

from records import Records
from review.exports import export
from review.making import Reader
from tests.review.data import OCTOBER, WANTED, fill

KEYS = {"cases": ["case_id"], "promises": ["case_id", "number"]}


def tables(records: Records, folder: Path) -> dict[str, list[dict[str, object]]]:
    folder.mkdir()
    export(records, WANTED.scope(), folder, Reader(records))
    found = {}
    for name, keys in KEYS.items():
        rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
        found[name] = sorted(rows, key=itemgetter(*keys))
    return found


def test_both_databases_export_the_same(url: str, filled: Records, tmp_path: Path) -> None:
    """G13"""
    records = fill(url)
    try:
        found = tables(records, tmp_path / "this")
    finally:
        records.close()

    assert found == tables(filled, tmp_path / "sqlite")
    for row in found["cases"]:
        at = row["closed_at"]
        assert isinstance(at, datetime)
        assert OCTOBER.since <= at < OCTOBER.until
