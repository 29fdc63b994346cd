"""The table of measured latencies as files; cheap to import, because every search reads it that charges latency."""

import io
from pathlib import Path

import pandas as pd

from nasgem_core.errors import DataError
from tasks.store.artifacts import read_table, write_bytes, write_table

SCHEMA = "nasgem.latency/1"
TABLE_FILE = "latency.parquet"
_SETTING = ("device", "engine", "threads", "batch")


def write_latency(folder: Path, table: pd.DataFrame) -> None:
    """Write the table as parquet and as CSV."""
    write_table(folder / TABLE_FILE, SCHEMA, table)
    text = io.StringIO()
    table.to_csv(text, index=False, float_format="%.6g")
    write_bytes(folder / "latency.csv", text.getvalue().encode())


def read_latency(path: Path) -> pd.DataFrame:
    """Read the table that `write_latency` wrote as parquet; raises `DataError`."""
    return read_table(path, SCHEMA)


def require_one_setting(path: Path, table: pd.DataFrame, command: str) -> None:
    """Raise `DataError` where rows were measured differently, so that they cannot be compared.

    Args:
        path: of the table, for the message.
        table: its rows.
        command: what measures them again.
    """
    mixed = [name for name in _SETTING if name in table and table[name].nunique() > 1]
    if mixed:
        raise DataError(
            f"{path} holds rows of {table[mixed[0]].nunique()} different values of {mixed[0]}, which cannot be "
            f"compared: measure again with `{command}`"
        )
