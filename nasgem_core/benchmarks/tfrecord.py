"""Records of a TFRecord file, each checked against its CRC-32C, without TensorFlow.

A record is the length of its data (8 bytes, little-endian), the masked CRC of these 8 bytes, the data, and the masked
CRC of the data. The CRC is that of Castagnoli's polynomial; it is stored rotated by 15 bits, plus a constant.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba import njit, uint32

from nasgem_core.errors import DataError

_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, bits reversed."""
_MASK_DELTA = 0xA282EAD8
_LENGTH_BYTES, _CRC_BYTES = 8, 4
_OVERHEAD = _LENGTH_BYTES + 2 * _CRC_BYTES
_WHOLE, _TRUNCATED, _ALTERED = 0, 1, 2
_VERDICTS = {_TRUNCATED: "is truncated", _ALTERED: "is altered, its checksum differs"}


def _crc_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ _POLYNOMIAL, table >> 1).astype(np.uint32)
    return table


_TABLE = _crc_table()


@njit(cache=True)
def masked_crc(content: np.ndarray, start: int, end: int) -> np.uint32:
    """Return the masked CRC-32C of content[start:end], [...] uint8."""
    crc = uint32(0xFFFFFFFF)
    for i in range(start, end):
        crc = uint32(_TABLE[(crc ^ content[i]) & uint32(255)] ^ (crc >> uint32(8)))
    crc = uint32(~crc)
    return uint32(uint32((crc >> uint32(15)) | (crc << uint32(17))) + uint32(_MASK_DELTA))


@njit(cache=True)
def _little_endian(content: np.ndarray, start: int, size: int) -> np.uint64:
    value = np.uint64(0)
    for i in range(size):
        value |= np.uint64(content[start + i]) << np.uint64(8 * i)
    return value


@njit(cache=True)
def _scan(content: np.ndarray, bounds: np.ndarray) -> tuple[int, int]:
    """Write start and end of each record's data to `bounds`; return the records found and the next one's verdict."""
    place, records, size = 0, 0, len(content)
    while place < size:
        if size - place < _OVERHEAD:
            return records, _TRUNCATED
        start = place + _LENGTH_BYTES + _CRC_BYTES
        if masked_crc(content, place, place + _LENGTH_BYTES) != _little_endian(
            content, place + _LENGTH_BYTES, _CRC_BYTES
        ):
            return records, _ALTERED
        length = _little_endian(content, place, _LENGTH_BYTES)
        if length > np.uint64(size - start - _CRC_BYTES):
            return records, _TRUNCATED
        # Bounded by the file's size, so it fits; left unsigned, the sum would become a float.
        end: int = start + np.int64(length)  # type: ignore[assignment]
        if masked_crc(content, start, end) != _little_endian(content, end, _CRC_BYTES):
            return records, _ALTERED
        bounds[records, 0], bounds[records, 1] = start, end
        records += 1
        place = end + _CRC_BYTES
    return records, _WHOLE


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the data of each record, after all records of the file have been checked.

    Raises:
        DataError: the file is missing, empty, truncated or altered; it names the record, counted from 1.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}: download the benchmark's TFRecord file")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: download it again")
    content = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    # More room than records can be; what is not written takes no memory.
    bounds = np.empty((len(content) // _OVERHEAD + 1, 2), dtype=np.int64)
    records, verdict = _scan(content, bounds)
    if verdict != _WHOLE:
        raise DataError(f"{path}: record {records + 1} {_VERDICTS[verdict]}: download the file again")
    for start, end in bounds[:records].tolist():
        yield content[start:end].tobytes()
