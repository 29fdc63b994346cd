import numpy as np
import pytest

from nasgem_core.benchmarks.tfrecord import masked_crc, read_records
from nasgem_core.errors import DataError
from tests.benchmarks.tfrecords import crc32c, masked, write_records

RECORDS = [b"first", b"", b"\x00\xff" * 300, b"last"]


def test_crc_of_the_standard():
    # RFC 3720, B.4: 32 zeros, 32 ones; and the check value of the polynomial.
    assert crc32c(bytes(32)) == 0x8A9136AA and crc32c(b"\xff" * 32) == 0x62A8AB43 and crc32c(b"123456789") == 0xE3069283
    for content in (b"", b"123456789", bytes(range(256))):
        array = np.frombuffer(content, dtype=np.uint8)
        assert int(masked_crc(array, 0, len(array))) == int.from_bytes(masked(content), "little")


def test_records_come_back(tmp_path):
    assert list(read_records(write_records(tmp_path / "a.tfrecord", RECORDS))) == RECORDS


def test_every_flipped_bit_is_seen_with_its_record(tmp_path):
    path = write_records(tmp_path / "a.tfrecord", [*RECORDS[:2], b"third record"])
    content = path.read_bytes()
    ends = np.cumsum([16 + len(record) for record in (*RECORDS[:2], b"third record")])
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        path.write_bytes(altered)
        record = 1 + int(np.searchsorted(ends, place, side="right"))
        with pytest.raises(DataError, match=rf"a.tfrecord: record {record} is altered"):
            list(read_records(path))


def test_every_truncation_is_seen_with_its_record(tmp_path):
    path = write_records(tmp_path / "a.tfrecord", [b"first", b"second"])
    content = path.read_bytes()
    for size in {*range(1, len(content))} - {16 + len(b"first")}:
        path.write_bytes(content[:size])
        with pytest.raises(DataError, match=rf"record {1 if size < 21 else 2} is truncated"):
            list(read_records(path))


def test_missing_and_empty_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        list(read_records(tmp_path / "none"))
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="is empty"):
        list(read_records(tmp_path / "empty"))
