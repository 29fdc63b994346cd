import asyncio
import errno
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prefect.filesystems import LocalFileSystem

from nasgem_core import files
from nasgem_core.errors import DataError
from tasks.store.record_folder import RECORDS, RecordFolder
from tasks.store.unkept_record import UnkeptRecordError

CONTENT = b'{"metadata": {}, "result": "AAAA"}'


@pytest.fixture
def folder(tmp_path, monkeypatch) -> RecordFolder:
    monkeypatch.chdir(tmp_path)
    return RecordFolder()


def test_a_record_comes_back_as_prefect_asks_for_it(folder):
    written = folder.write_path("a-key", content=CONTENT, _sync=True)
    assert written == str((RECORDS / "a-key").resolve()) and isinstance(folder, LocalFileSystem)
    assert folder.read_path("a-key", _sync=True) == folder.read_path(written) == CONTENT
    assert asyncio.run(folder.awrite_path("other", CONTENT)) and asyncio.run(folder.aread_path("other")) == CONTENT


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 32 + len(CONTENT)), difference=st.integers(1, 255))
def test_every_changed_byte_is_refused(folder, place, difference):
    folder.write_path("a-key", CONTENT)
    changed = bytearray((RECORDS / "a-key").read_bytes())
    changed[place] ^= difference
    for content in (bytes(changed), bytes(changed[:place])):
        (RECORDS / "a-key").write_bytes(content)
        with pytest.raises(DataError, match="is truncated, altered or the record of another key"):
            folder.read_path("a-key")


def test_the_record_of_another_key_is_refused(folder):
    folder.write_path("a-key", CONTENT)
    (RECORDS / "a-key").rename(RECORDS / "b-key")
    with pytest.raises(DataError, match="b-key is truncated, altered or the record of another key"):
        folder.read_path("b-key")


def test_a_write_that_fails_leaves_the_earlier_record(folder, monkeypatch):
    folder.write_path("a-key", CONTENT)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(UnkeptRecordError) as raised:
            folder.write_path("a-key", b"other")
    assert raised.value.as_os_error().filename == str((RECORDS / "a-key").resolve())
    assert folder.read_path("a-key") == CONTENT and os.listdir(RECORDS) == ["a-key"]


@pytest.mark.parametrize("path", ["../a-key", "a/b", "/etc/passwd", ".."])
def test_a_record_lies_nowhere_else(folder, path):
    with pytest.raises(ValueError, match="a record is kept in"):
        folder.write_path(path, CONTENT)
