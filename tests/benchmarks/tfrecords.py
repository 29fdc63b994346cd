"""A writer of NAS-Bench-101 files that shares nothing with the reader: protocol buffers by hand, a bitwise CRC."""

import base64
import json
import struct
from collections.abc import Iterable
from pathlib import Path


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def integer(field: int, value: int) -> bytes:
    """Return a field of a message with an integer, as protocol buffers encode it."""
    return _varint(field << 3) + _varint(value)


def double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def block(field: int, content: bytes) -> bytes:
    """Return a field with a text or another message."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def encode_evaluation(share: float, figures: dict[int, float], path: str) -> bytes:
    """Return one evaluation, after a share of the training; the figures are those at its end, by field."""
    numbers = {1: 108 * share, 2: figures[2] * share, 3: share} | {
        n: figures[n] * share for n in (4, 5) if n in figures
    }
    return block(1, b"".join(double(n, value) for n, value in numbers.items()) + block(6, path.encode()))


def encode_metrics(params: int | None, seconds: float, validation: float, test: float | None, path: str = "") -> bytes:
    """Return `ModelMetrics` as the benchmark writes it; what is None is left out."""
    figures = {2: seconds, 4: validation} | ({} if test is None else {5: test})
    evaluations = b"".join(encode_evaluation(share, figures, path) for share in (0, 0.5, 1))
    return evaluations + (b"" if params is None else integer(2, params)) + double(3, 2 * seconds)


def crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def write_records(path: Path, records: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        for record in records:
            length = struct.pack("<Q", len(record))
            file.write(length + masked(length) + record + masked(record))
    return path


def row(key: str, epochs: int, digits: str, operations: str, metrics: bytes) -> bytes:
    return json.dumps([key, epochs, digits, operations, base64.b64encode(metrics).decode()]).encode()
