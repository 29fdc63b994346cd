"""A tabular space: many cells with measured figures, in memory and as one compact parquet file.

The file holds one cell per row: its hash, its edges as bits, its operations as bytes, and each metric as float32. The
names that give these columns their meaning, the schema and a checksum of the content are in the parquet's metadata.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.digest import digest_of
from nasgem_core.errors import DataError
from nasgem_core.files import written_whole
from nasgem_core.json_text import parse_json
from nasgem_core.operations.registry import register_tabular

SCHEMA = "nasgem.table/1"
HASH_BYTES = 16
_RESERVED = ("hash", "edges", "codes")
_HEADER, _CHECKSUM = b"nasgem", b"nasgem.checksum"


@dataclass(frozen=True, eq=False)
class TabularSpace:
    """Cells whose networks have all been measured.

    Args:
        name: the space's name, for files and tables.
        cells: B cells.
        metrics: [B] float32 by name: accuracies as fractions, `params` and `macs` as counts (float32 keeps seven
            digits of these), a latency in the unit of its source.
        label: the metric that a search may observe: one noisy run where there are several.
        truth: the metric that rankings are judged by: the mean of runs where there are several.
        hashes: [B, 16] uint8: the source's own hash of each cell, or else its canonical key. Rows with equal hashes
            hold the same graph.

    Raises:
        DataError: lengths or types differ, a value is not finite, or `label` or `truth` is not a metric.
    """

    name: str
    cells: CellBatch
    metrics: Mapping[str, np.ndarray]
    label: str
    truth: str
    hashes: np.ndarray

    def __post_init__(self) -> None:
        batch = len(self.cells)
        for metric, values in self.metrics.items():
            if metric in _RESERVED:
                raise DataError(f"{self.name}: a metric cannot be named {metric!r}: rename it")
            if values.dtype != np.float32 or values.shape != (batch,):
                found = f"{values.dtype} of shape {values.shape}"
                raise DataError(f"{self.name}: metric {metric!r} is {found}: it must be float32 of shape ({batch},)")
            wrong = np.flatnonzero(~np.isfinite(values))
            if len(wrong):
                raise DataError(
                    f"{self.name}: metric {metric!r} is {values[wrong[0]]} in row {wrong[0] + 1}: every row needs a "
                    "finite number"
                )
        for role, metric in (("label", self.label), ("truth", self.truth)):
            if metric not in self.metrics:
                known = ", ".join(self.metrics)
                raise DataError(f"{self.name}: {role} = {metric!r} is not a metric of this table: it has {known}")
        if self.hashes.dtype != np.uint8 or self.hashes.shape != (batch, HASH_BYTES):
            raise DataError(f"{self.name}: hashes must be uint8 of shape ({batch}, {HASH_BYTES})")

    def __len__(self) -> int:
        return len(self.cells)


def content_hash(space: TabularSpace) -> str:
    """Return 32 hexadecimal digits that are equal for equal cells, metrics and roles."""
    return _checksum(_header(space), _arrays(space))


def write_table(space: TabularSpace, path: Path) -> None:
    """Write the space as one parquet file, whole or not at all; raises `DataError` when the folder refuses it."""
    arrays = _arrays(space)
    header = _header(space)
    columns = {name: _column(array) for name, array in arrays.items()}
    metadata = {_HEADER: header, _CHECKSUM: _checksum(header, arrays).encode()}
    table = pa.table(columns).replace_schema_metadata(metadata)
    try:
        with written_whole(path) as file:
            pq.write_table(
                table,
                file,
                compression="zstd",
                use_dictionary=False,
                use_byte_stream_split=list(space.metrics),
                write_statistics=False,
            )
    except OSError as error:
        raise DataError(f"cannot write the table {path}: {error}") from None


def is_table(path: Path) -> bool:
    """Say whether a file is a parquet file that `write_table` has written, whole or not."""
    try:
        return _HEADER in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def read_table(path: Path) -> TabularSpace:
    """Read what `write_table` wrote. Operations that are not registered become known as tabular ones.

    Raises:
        DataError: the file is missing, truncated, altered, of another version, or not such a table.
    """
    if not path.is_file():
        raise DataError(f"there is no table {path}: import the benchmark first")
    try:
        table = pq.read_table(path, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is truncated or not a parquet file ({error}): import it again") from None
    metadata = table.schema.metadata or {}
    content = metadata.get(_HEADER, b"")
    header = _parsed_header(content, path)
    try:
        arrays = {column: _array(table, column) for column in (*_RESERVED, *header["metrics"])}
    except (KeyError, pa.ArrowException) as error:
        raise DataError(f"{path}: a column is missing or of another type ({error}): import it again") from None
    if _checksum(content, arrays).encode() != metadata.get(_CHECKSUM):
        raise DataError(f"{path} is not what was written, its checksum differs: import it again")
    for operation in header["operations"]:
        register_tabular(operation)
    return TabularSpace(
        header["name"],
        unpack_cells(arrays, header["operations"]),
        {metric: arrays[metric] for metric in header["metrics"]},
        header["label"],
        header["truth"],
        arrays["hash"],
    )


def _header(space: TabularSpace) -> bytes:
    document = {
        "schema": SCHEMA,
        "name": space.name,
        "operations": list(space.cells.operation_names),
        "metrics": list(space.metrics),
        "label": space.label,
        "truth": space.truth,
    }
    return json.dumps(document).encode()


def _parsed_header(content: bytes, path: Path) -> dict[str, Any]:
    try:
        header = parse_json(content)
        schema = header["schema"]
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path} is a parquet file but not a table of cells written by nasgem: see read_rows") from None
    if schema != SCHEMA:
        raise DataError(f"{path} has the schema {schema!r:.80}, this version reads {SCHEMA!r}: import it again")
    texts = [header.get(field) for field in ("name", "label", "truth")]
    if not _is_list_of_texts(texts) or not all(
        _is_list_of_texts(header.get(field)) for field in ("operations", "metrics")
    ):
        raise DataError(f"{path}: a field of its header is missing or of another type: import it again")
    return header


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _arrays(space: TabularSpace) -> dict[str, np.ndarray]:
    return {"hash": space.hashes, **pack_cells(space.cells), **space.metrics}


def _checksum(header: bytes, arrays: Mapping[str, np.ndarray]) -> str:
    return digest_of([header, *arrays.values()])


def _column(array: np.ndarray) -> pa.Array:
    if array.ndim == 1:
        return pa.array(array)
    rows, width = array.shape
    content = pa.py_buffer(np.ascontiguousarray(array))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), rows, [None, content])


def _array(table: pa.Table, column: str) -> np.ndarray:
    values = table.column(column).combine_chunks()
    if values.null_count:
        raise pa.ArrowInvalid(f"column {column!r} has holes")
    if pa.types.is_fixed_size_binary(values.type):
        width = values.type.byte_width
        start = values.offset * width
        content = np.frombuffer(values.buffers()[1], dtype=np.uint8)[start : start + len(values) * width]
        return content.reshape(len(values), width)
    return values.to_numpy(zero_copy_only=False)
