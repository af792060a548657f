"""The lines of results as a Parquet file, a row a picture."""

import json
from itertools import islice
from pathlib import Path

from ..io.whole_files import whole_or_absent
from .lines import printable

ROWS = 10_000  # of a group


def write_parquet(results: Path, target: Path) -> None:
    """Make a Parquet file of results; the memory does not grow with them."""
    import pyarrow.parquet as pq

    with (results.open('rb') as lines, whole_or_absent(target) as file,
          pq.ParquetWriter(file, schema()) as writer):
        while rows := [json.loads(line) for line in islice(lines, ROWS)]:
            writer.write_table(table_of(rows))


def table_of(rows: list[dict]):
    """The table of pyarrow for rows as ``lines.row_of`` makes them."""
    import pyarrow as pa

    rows = [dict(row, file_name=printable(row['file_name'])) for row in rows]
    return pa.Table.from_pylist(rows, schema())


def schema():
    """That of the table."""
    import pyarrow as pa

    return pa.schema(dict(
        file_name=pa.string(), frame=pa.int32(), width=pa.int32(), height=pa.int32(),
        error=pa.string(), detections=pa.list_(pa.struct(dict(
            category_id=pa.int32(), category=pa.string(),
            bbox=pa.list_(pa.float32(), 4), score=pa.float32(),
            probability=pa.float32())))))
