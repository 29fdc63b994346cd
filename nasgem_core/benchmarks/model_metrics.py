"""The protocol buffer in which NAS-Bench-101 holds the figures of one training (`model_metrics.proto`).

The benchmark evaluates three times: before training, half-way and at its end (`api.py`).
"""

from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from nasgem_core.errors import DataError

EVALUATIONS = 3
_FIELD = descriptor_pb2.FieldDescriptorProto
_EVALUATION = (
    "current_epoch",
    "training_time",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
)
"""Fields of an evaluation, all of them numbers of double precision, numbered from 1."""
_READ = ("training_time", "validation_accuracy", "test_accuracy")


@dataclass(frozen=True)
class RunMetrics:
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


def decode_training(message: bytes) -> RunMetrics:
    """Return the final figures of a `ModelMetrics` message; raises `DataError` where it is something else."""
    try:
        metrics = _METRICS.FromString(message)
    except DecodeError as error:
        raise DataError(f"metrics that cannot be decoded: {error}") from None
    evaluations = len(metrics.evaluation_data)
    if evaluations != EVALUATIONS or not metrics.HasField("trainable_parameters"):
        raise DataError(f"metrics with {evaluations} evaluations: {EVALUATIONS} and the parameters are expected")
    final = metrics.evaluation_data[-1]
    for name in _READ:
        if not final.HasField(name):
            raise DataError(f"metrics without the field {name} of the last evaluation")
    return RunMetrics(
        params=metrics.trainable_parameters,
        seconds=final.training_time,
        validation_accuracy=final.validation_accuracy,
        test_accuracy=final.test_accuracy,
    )


def _message_class() -> Any:
    """Return the class of `ModelMetrics`; fields that are not read are left out, and skipped in messages."""
    file = descriptor_pb2.FileDescriptorProto(name="nasgem/model_metrics.proto", package="nasbench", syntax="proto2")
    evaluation = file.message_type.add(name="EvaluationData")
    for number, name in enumerate(_EVALUATION, start=1):
        evaluation.field.add(name=name, number=number, type=_FIELD.TYPE_DOUBLE, label=_FIELD.LABEL_OPTIONAL)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data",
        number=1,
        type=_FIELD.TYPE_MESSAGE,
        type_name=".nasbench.EvaluationData",
        label=_FIELD.LABEL_REPEATED,
    )
    metrics.field.add(name="trainable_parameters", number=2, type=_FIELD.TYPE_INT32, label=_FIELD.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))


_METRICS = _message_class()
