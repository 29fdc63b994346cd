"""The table of measured latencies as files; cheap to import, because every search reads it that charges latency."""

import io
from pathlib import Path

import pandas as pd

from tasks.store.artifacts import read_table, write_bytes, write_table

SCHEMA = "nasgem.latency/1"
TABLE_FILE = "latency.parquet"


def write_latency(folder: Path, table: pd.DataFrame) -> None:
    """Write the table as parquet and as CSV."""
    write_table(folder / TABLE_FILE, SCHEMA, table)
    text = io.StringIO()
    table.to_csv(text, index=False, float_format="%.6g")
    write_bytes(folder / "latency.csv", text.getvalue().encode())


def read_latency(path: Path) -> pd.DataFrame:
    """Read the table that `write_latency` wrote as parquet; raises `DataError`."""
    return read_table(path, SCHEMA)
