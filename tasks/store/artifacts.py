"""The files between stages: written whole or not at all, and read only if they are what their place requires.

Every stage owns `data/<stage>/`. Arrays are npz, tables parquet, weights safetensors, everything else JSON; each file
names its schema, so it can be read on its own and a foreign file is refused, and has a checksum of its content, so a
changed byte is refused too.
"""

import io
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nasgem_core.checksums import (
    CHECKSUM,
    UNSET,
    bytes_with_checksum,
    check_bytes,
    json_with_checksum,
    sealed,
    unsealed,
    without_checksum,
)
from nasgem_core.errors import DataError
from nasgem_core.files import content_of, written_whole
from nasgem_core.json_text import parse_json

DATA = Path("data")
METRICS = DATA / "metrics"
_SCHEMA_KEY = "schema"
_PNG = b"\x89PNG\r\n\x1a\n"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a crash leaves the old one."""
    with written_whole(path) as file:
        file.write(content)


def write_json(path: Path, schema: str, document: Mapping[str, Any]) -> None:
    """Write a JSON file whose field "schema" says what it is; a number that is not finite becomes null."""
    write_bytes(path, json_with_checksum(_finite({_SCHEMA_KEY: schema, **document})).encode())


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path, schema: str, on_hand_written: Callable[[Path], None] | None = None) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Args:
        path: the file.
        schema: what it has to be.
        on_hand_written: called for a file without a checksum, as a person writes it; by default that is refused.

    Raises:
        DataError: it is missing, foreign or changed; the message names path and remedy.
    """
    content = _read(path)
    with _parsing(path, schema):
        parsed = parse_json(content)
        found = parsed[_SCHEMA_KEY]
    _require(path, schema, found)
    with _unchanged(path, schema):
        document, has_checksum = without_checksum(parsed)
        if not has_checksum and on_hand_written is None:
            raise ValueError("it has no checksum")
    if not has_checksum and on_hand_written is not None:
        on_hand_written(path)
    return document


def write_arrays(path: Path, schema: str, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Write named arrays and plain metadata as one npz file; equal content gives equal bytes."""
    document = np.frombuffer(sealed({_SCHEMA_KEY: schema, **metadata}, arrays).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, metadata=document, **_in_c_order(arrays))
    write_bytes(path, buffer.getvalue())


def read_arrays(path: Path, schema: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `write_arrays` wrote; raises `DataError` naming path and remedy."""
    content = _read(path)
    with _parsing(path, schema):
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        metadata = unsealed(arrays.pop("metadata").tobytes(), arrays)
        found = metadata.pop(_SCHEMA_KEY)
    _require(path, schema, found)
    return arrays, metadata


def write_table(path: Path, schema: str, table: pd.DataFrame) -> None:
    """Write a table as parquet, with a checksum of all its bytes: parquet's own leave out names, types and counts."""
    metadata = {_SCHEMA_KEY: schema, CHECKSUM: UNSET}
    content = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(metadata)
    buffer = io.BytesIO()
    pq.write_table(content, buffer, write_page_checksum=True)
    write_bytes(path, bytes_with_checksum(buffer.getvalue()))


def read_table(path: Path, schema: str) -> pd.DataFrame:
    """Read what `write_table` wrote; raises `DataError` naming path and remedy."""
    content = _read(path)
    with _parsing(path, schema):
        arrow = pq.read_table(io.BytesIO(content), page_checksum_verification=True)
        found = (arrow.schema.metadata or {}).get(_SCHEMA_KEY.encode(), b"").decode()
        table = arrow.to_pandas()
    _require(path, schema, found)
    with _unchanged(path, schema):
        check_bytes(content)
    return table


def write_weights(path: Path, schema: str, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Write a model's arrays as a file of weights (`nasgem_core.weights`) with plain metadata in its header."""
    from nasgem_core import weights  # imports torch, which JSON and tables do without

    weights.write_weights(path, schema, arrays, metadata)


def read_weights(path: Path, schema: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `write_weights` wrote; raises `DataError` naming path and remedy."""
    from nasgem_core import weights

    try:
        tensors, metadata = weights.read_weights(path, schema)
    except FileNotFoundError:
        raise _missing(path) from None
    except DataError as error:
        raise DataError(f"{error}: {_remedy(path)}") from None
    return {name: tensor.numpy() for name, tensor in tensors.items()}, metadata


def read_picture(path: Path) -> bytes:
    """Return the bytes of a PNG file that a stage wrote; raises `DataError` where one of them has changed."""
    content = _read(path)
    with _unchanged(path, "PNG"):
        place = len(_PNG)
        if content[:place] != _PNG:
            raise ValueError("its beginning has changed")
        name = b""
        while name != b"IEND":
            size = int.from_bytes(content[place : place + 4])
            name, end = content[place + 4 : place + 8], place + 8 + size
            if len(content) < end + 4 or zlib.crc32(content[place + 4 : end]) != int.from_bytes(content[end : end + 4]):
                raise ValueError("a checksum does not match")
            place = end + 4
        if place != len(content):
            raise ValueError("something follows its end")
    return content


def _in_c_order(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays in one order of memory: a value just computed may have another than one read from a record."""
    return {name: np.asarray(array, order="C") for name, array in arrays.items()}


@contextmanager
def _parsing(path: Path, schema: str) -> Iterator[None]:
    """Turn what a parser raises into `DataError`: on foreign bytes that can be any error."""
    try:
        yield
    except Exception:
        raise _foreign(path, schema, "it is truncated, corrupt or another file") from None


@contextmanager
def _unchanged(path: Path, schema: str) -> Iterator[None]:
    """Turn what a checksum says into `DataError`."""
    try:
        yield
    except ValueError as error:
        raise _foreign(path, schema, f"it was changed or damaged: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return content_of(path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise _missing(path) from None


def _require(path: Path, schema: str, found: Any) -> None:
    if found != schema:
        raise _foreign(path, schema, f"it says {found!r}")


def _foreign(path: Path, schema: str, what: str) -> DataError:
    return DataError(f"{path} is not a {schema} file ({what}): {_remedy(path)}")


def _missing(path: Path) -> DataError:
    return DataError(f"{path} is missing: run the stage that makes it, `nasgem stage {_stage_of(path)}`")


def _remedy(path: Path) -> str:
    return f"move it away and run `nasgem stage {_stage_of(path)}` to make it again"


def _stage_of(path: Path) -> str:
    return path.stem if path.parent.name == METRICS.name else path.parent.name
