import itertools
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tasks.mlflow_runs.outbox import SUFFIX, Outbox, RecordRefused
from tasks.mlflow_runs.run_record import RunRecord
from tasks.store.serialization import decode, encode


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def outbox(tmp_path, warnings) -> Outbox:
    return Outbox(tmp_path / "outbox", warnings.append)


def delivered(outbox: Outbox) -> list[RunRecord]:
    records: list[RunRecord] = []
    outbox.deliver(lambda record, _: records.append(record))
    return records


def test_a_record_waits_until_it_is_delivered_and_leaves_nothing(outbox):
    record = RunRecord("a", "a", "cell", params={"seed": 3}, files={"x": np.arange(3, dtype=np.uint8)}, started=5.0)
    outbox.put(record)
    assert len(outbox.pending()) == 1
    (found,) = delivered(outbox)
    assert (found.key, found.params, found.started) == ("a", {"seed": "3"}, 5.0)
    assert found.files["x"].tolist() == [0, 1, 2]
    assert outbox.pending() == [] and [path.name for path in outbox.folder.iterdir()] == ["deliver.lock"]


def test_the_digest_is_of_the_content_and_not_of_the_time(outbox):
    digests = []
    for started, seed in ((1.0, 0), (2.0, 0), (2.0, 1)):
        outbox.put(RunRecord("a", "a", "cell", params={"seed": seed}, started=started))
    outbox.deliver(lambda _, digest: digests.append(digest))
    assert digests[0] == digests[1] != digests[2]


def ticking(*moments: int) -> Iterator[int]:
    return itertools.chain(moments, itertools.repeat(moments[-1]))


def test_records_come_in_the_order_they_were_put_even_when_the_clock_goes_back(tmp_path):
    moments = ticking(5 * 10**9, 4 * 10**9, 4 * 10**9, 9 * 10**9)
    outbox = Outbox(tmp_path, pytest.fail, clock=lambda: next(moments))
    for key in "dbc":
        outbox.put(RunRecord(key, key, "cell"))
    later = Outbox(tmp_path, pytest.fail, clock=lambda: 1)  # another process
    later.put(RunRecord("a", "a", "cell"))
    found = delivered(later)
    assert [record.key for record in found] == list("dbca")
    assert [record.started for record in found] == [record.ended for record in found]
    assert found[0].started == 5.0 and found[-1].started < 1  # their times are those of the clock, also set back


def test_a_record_from_the_future_stays_the_first_and_changes_no_times(tmp_path):
    far = Outbox(tmp_path, pytest.fail, clock=lambda: 4 * 10**18)  # in a hundred years
    far.put(RunRecord("far", "far", "cell"))
    now = Outbox(tmp_path, pytest.fail, clock=lambda: 10**18)
    now.put(RunRecord("now", "now", "cell"))
    found = delivered(now)
    assert [(record.key, record.started) for record in found] == [("far", 4e9), ("now", 1e9)]


def test_a_file_with_a_foreign_name_is_set_aside(outbox, warnings):
    outbox.put(RunRecord("a", "a", "cell"))
    (outbox.folder / f"copy of mine{SUFFIX}").write_bytes(b"foreign")
    later = Outbox(outbox.folder, warnings.append)
    later.put(RunRecord("b", "b", "cell"))
    assert [record.key for record in delivered(later)] == ["a", "b"]
    assert len(warnings) == 1 and "copy of mine.run was moved to" in warnings[0]


def test_an_error_keeps_the_record_and_all_after_it(outbox):
    for key in "abc":
        outbox.put(RunRecord(key, key, "cell"))

    def write(record: RunRecord, digest: str) -> None:
        if record.key == "b":
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        outbox.deliver(write)
    assert [record.key for record in delivered(outbox)] == ["b", "c"]


def test_a_refused_record_is_set_aside(outbox, warnings):
    for key in "ab":
        outbox.put(RunRecord(key, key, "cell"))
    seen = []

    def write(record: RunRecord, digest: str) -> None:
        if record.key == "a":
            raise RecordRefused("bad metric name")
        seen.append(record.key)

    outbox.deliver(write)
    assert seen == ["b"]
    assert len(warnings) == 1 and "refused: bad metric name" in warnings[0]
    assert len(list((outbox.folder / "refused").iterdir())) == 1


def cut(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:-40])
    return "is truncated or altered"


def change_a_byte(path: Path) -> str:
    content = path.read_bytes()
    path.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    return "is truncated or altered"


def empty(path: Path) -> str:
    path.write_bytes(b"")
    return "is truncated or altered"


def future_schema(path: Path) -> str:
    path.write_bytes(encode(decode(path.read_bytes()) | {"schema": "nasgem.run/99"}))
    return "has schema 'nasgem.run/99', and this version reads 'nasgem.run/2'"


@pytest.mark.parametrize("damage", [cut, change_a_byte, empty, future_schema])
def test_a_damaged_record_is_named_set_aside_and_does_not_hold_up_the_others(outbox, warnings, damage):
    outbox.put(RunRecord("a", "a", "cell", params={"seed": 3}, files={"x": np.zeros(9, np.uint8)}))
    outbox.put(RunRecord("b", "b", "cell"))
    path = outbox.pending()[0]
    expected = damage(path)
    assert [record.key for record in delivered(outbox)] == ["b"]
    assert len(warnings) == 1 and path.name in warnings[0] and expected in warnings[0]
    assert (outbox.folder / "refused" / path.name).is_file()


def test_a_process_that_dies_while_it_puts_a_record_leaves_none_and_one_that_delivers_delivers_again(outbox):
    outbox.put(RunRecord("a", "a", "cell"))
    half = outbox.folder / f".{1:020d}{SUFFIX}.0.tmp"
    half.write_bytes(outbox.pending()[0].read_bytes()[:50])

    class Killed(BaseException):
        pass

    def write(record: RunRecord, digest: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        outbox.deliver(write)
    assert [record.key for record in delivered(outbox)] == ["a"]


def test_what_a_killed_process_left_is_removed_after_a_while(outbox):
    outbox.put(RunRecord("a", "a", "cell"))
    left, fresh = (outbox.folder / f".{number}{SUFFIX}.0.tmp" for number in range(2))
    for path in (left, fresh):
        path.touch()
    os.utime(left, (0, 0))
    delivered(outbox)
    assert not left.exists() and fresh.exists()


def test_one_delivers_at_a_time_and_each_record_goes_once(outbox):
    keys, busy = [], threading.Lock()

    def write(record: RunRecord, digest: str) -> None:
        assert busy.acquire(blocking=False)
        keys.append(record.key)
        busy.release()

    def work(worker: int) -> None:
        for i in range(8):
            outbox.put(RunRecord(f"{worker}-{i}", "", "cell"))
            outbox.deliver(write)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert sorted(keys) == sorted(f"{worker}-{i}" for worker in range(4) for i in range(8))
