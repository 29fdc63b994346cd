"""A writer of NAS-Bench-101 files that shares nothing with the reader: protobuf's own runtime, a bitwise CRC."""

import base64
import json
import struct
from collections.abc import Iterable
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = descriptor_pb2.FieldDescriptorProto


def _message(name: str, fields: list[tuple[str, int, bool]]) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=name)
    for number, (field, kind, repeated) in enumerate(fields, start=1):
        label = _TYPES.LABEL_REPEATED if repeated else _TYPES.LABEL_OPTIONAL
        added = message.field.add(name=field, number=number, type=kind, label=label)
        if kind == _TYPES.TYPE_MESSAGE:
            added.type_name = ".nasbench.EvaluationData"
    return message


def metrics_class() -> type:
    """Return protobuf's class for `ModelMetrics` as the benchmark declares it."""
    double, text = _TYPES.TYPE_DOUBLE, _TYPES.TYPE_STRING
    names = ("current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    evaluation = _message(
        "EvaluationData", [*((name, double, False) for name in names), ("checkpoint_path", text, False)]
    )
    metrics = _message(
        "ModelMetrics",
        [
            ("evaluation_data", _TYPES.TYPE_MESSAGE, True),
            ("trainable_parameters", _TYPES.TYPE_INT32, False),
            ("total_time", double, False),
        ],
    )
    file = descriptor_pb2.FileDescriptorProto(name="nasbench_test.proto", package="nasbench", syntax="proto2")
    file.message_type.extend([evaluation, metrics])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))


def encode_metrics(params: int, seconds: float, validation: float, test: float, path: str = "") -> bytes:
    metrics = metrics_class()(trainable_parameters=params, total_time=2 * seconds)
    for share in (0, 0.5, 1):
        metrics.evaluation_data.add(
            current_epoch=108 * share,
            training_time=seconds * share,
            train_accuracy=share,
            validation_accuracy=validation * share,
            test_accuracy=test * share,
            checkpoint_path=path,
        )
    return metrics.SerializeToString()


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
