import pytest

from nasgem_core.benchmarks.model_metrics import RunMetrics, decode_training
from nasgem_core.errors import DataError
from tests.benchmarks.tfrecords import encode_metrics

TRAINING = RunMetrics(params=49_979_274, seconds=1234.5, validation_accuracy=0.94, test_accuracy=0.935)


def encoded(path: str = "") -> bytes:
    return encode_metrics(TRAINING.params, TRAINING.seconds, 0.94, 0.935, path)


@pytest.mark.parametrize("path", ["", "model.ckpt-1234", "x" * 300])
def test_figures_of_the_last_evaluation_are_read(path):
    assert decode_training(encoded(path)) == TRAINING


def test_unknown_fields_are_skipped():
    # Field 15 as an integer, field 16 as four bytes, field 17 as text: a later version may add such.
    extra = b"\x78\x96\x01" + b"\x85\x01abcd" + b"\x8a\x01\x03abc"
    assert decode_training(extra + encoded() + extra) == TRAINING


def test_every_truncation_is_refused():
    # The last field is total_time (9 bytes), which is not read: without it the message is whole.
    content = encoded()
    for size in range(len(content)):
        if size != len(content) - 9:
            with pytest.raises(DataError):
                decode_training(content[:size])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 evaluations"),
        (b"\x0b", "cannot be decoded"),
        (b"\x80" * 20, "cannot be decoded"),
        (b"\x0a\x05abc", "cannot be decoded"),
        (b"\x18\x01" * 3, "0 evaluations"),
    ],
)
def test_other_messages_are_refused(content, message):
    with pytest.raises(DataError, match=message):
        decode_training(content)


def test_missing_figures_are_refused():
    with pytest.raises(DataError, match="without the field test_accuracy"):
        decode_training(encode_metrics(TRAINING.params, 1.0, 0.94, None))
    with pytest.raises(DataError, match="the parameters are expected"):
        decode_training(encode_metrics(None, 1.0, 0.94, 0.935))
