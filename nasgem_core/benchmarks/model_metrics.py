"""The protocol buffer in which NAS-Bench-101 keeps the figures of one training, read without its runtime.

    ModelMetrics:   1 repeated EvaluationData, 2 int32 trainable_parameters, 3 double total_time
    EvaluationData: 1 double current_epoch, 2 double training_time, 3 double train_accuracy,
                    4 double validation_accuracy, 5 double test_accuracy, 6 string checkpoint_path

The benchmark evaluates three times: before training, half-way and at its end (`model_metrics.proto`, `api.py`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from nasgem_core.errors import DataError

EVALUATIONS = 3
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
"""Wire types of protocol buffers; 3 and 4, groups, are not in use."""
_FIXED_SIZES = {_DOUBLE: 8, _FLOAT: 4}


@dataclass(frozen=True)
class Training:
    """What one training ended with.

    Args:
        params: trainable parameters.
        seconds: time of training, without evaluations.
        validation_accuracy: at the end, a fraction.
        test_accuracy: at the end, a fraction.
    """

    params: int
    seconds: float
    validation_accuracy: float
    test_accuracy: float


def decode_training(message: bytes) -> Training:
    """Return the final figures of a `ModelMetrics` message; raises `DataError` where it is none."""
    evaluations, params = [], None
    for field, wire_type, value in _fields(message):
        if (field, wire_type) == (1, _BYTES):
            evaluations.append(value)
        elif (field, wire_type) == (2, _VARINT):
            params = value
    if len(evaluations) != EVALUATIONS or not isinstance(params, int):
        raise DataError(f"metrics with {len(evaluations)} evaluations: {EVALUATIONS} and the parameters are expected")
    final = {
        field: struct.unpack("<d", value)[0]
        for field, wire_type, value in _fields(evaluations[-1])
        if wire_type == _DOUBLE and isinstance(value, bytes)
    }
    try:
        return Training(params, seconds=final[2], validation_accuracy=final[4], test_accuracy=final[5])
    except KeyError as error:
        raise DataError(f"metrics without field {error} of the last evaluation") from None


def _fields(message: bytes | int) -> Iterator[tuple[int, int, bytes | int]]:
    """Yield number, wire type and value of each field: an integer for varints, else its bytes."""
    assert isinstance(message, bytes)
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        field, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            number, place = _varint(message, place)
            yield field, wire_type, number
            continue
        if wire_type == _BYTES:
            size, place = _varint(message, place)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise DataError(f"metrics with a field of the unknown wire type {wire_type}")
        if size > len(message) - place:
            raise DataError("metrics that end within a field")
        yield field, wire_type, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """Return the integer that starts at `place`, seven bits a byte, and the place after it."""
    value = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7
    raise DataError("metrics with an integer that does not end")
