"""Prints what the footers of a table's Parquet files say, read by pyarrow.

  read_footer.py FOLDER

Prints {"row_groups": count, "leaves": {path: {"physical", "logical", "statistics": [{"min", "max", "nulls"} or null],
"nulls"}}}: the statistics of each row group as the file has them, and the nulls that pyarrow itself counts when it
writes the values that it has read.
"""

import io
import json
import sys
from pathlib import Path

import pyarrow.parquet
from pyarrow.parquet import FileMetaData, ParquetFile, Statistics

from read_parquet import find_files


def main() -> None:
    row_groups = 0
    leaves: dict[str, dict[str, object]] = {}
    for file in map(ParquetFile, find_files(Path(sys.argv[1]))):
        row_groups += file.metadata.num_row_groups
        written = written_by_pyarrow(file)
        for at in range(file.metadata.num_columns):
            column = file.metadata.schema.column(at)
            leaf = {"physical": column.physical_type, "logical": str(column.logical_type), "statistics": [], "nulls": 0}
            leaf = leaves.setdefault(column.path, leaf)
            leaf["statistics"] += map(described, statistics(file.metadata, at))
            leaf["nulls"] += sum(found.null_count for found in statistics(written, at) if found)
    print(json.dumps({"row_groups": row_groups, "leaves": leaves}))


def written_by_pyarrow(file: ParquetFile) -> FileMetaData:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(file.read(), buffer)
    return pyarrow.parquet.read_metadata(buffer)


def statistics(metadata: FileMetaData, column: int) -> list[Statistics | None]:
    return [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]


def described(found: Statistics | None) -> dict[str, object] | None:
    if found is None:
        return None
    ends = (str(found.min), str(found.max)) if found.has_min_max else (None, None)
    return {"min": ends[0], "max": ends[1], "nulls": found.null_count}


if __name__ == "__main__":
    main()
