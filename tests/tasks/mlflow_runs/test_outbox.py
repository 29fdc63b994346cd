import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from nasgem_core.errors import DataError
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.outbox import Dataset, Outbox, RecordRefused, RunRecord


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


def test_a_record_comes_out_as_it_went_in(outbox, tmp_path):
    artifact = tmp_path / "curve.json"
    artifact.write_text("[1, 2]")
    model = FullyConnectedModel.from_modules("encoder", nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)))
    record = RunRecord(
        key="search/é",
        name="a search",
        kind="search",
        parent="all",
        params={"seed": 3},
        metrics=[("best_score", 0.1 + 0.2, 0), ("loss", float("nan"), 1), ("loss", float("inf"), 2), ("loss", 2, 3)],
        tags={"git.dirty": "false"},
        inputs=[Dataset("cifar", "abc", "data/raw")],
        artifacts=[(artifact, "curves")],
        models=[model],
        status="FAILED",
        started=5.0,
        ended=6.0,
    )
    outbox.put(record)
    artifact.unlink()

    def check(read: RunRecord, digest: str) -> None:
        assert (read.key, read.name, read.kind, read.parent) == ("search/é", "a search", "search", "all")
        assert read.params == {"seed": "3"}
        assert read.metrics == [["best_score", 0.1 + 0.2, 0], ["loss", 2.0, 3]]
        assert read.tags == {"git.dirty": "false"}
        assert read.inputs == [Dataset("cifar", "abc", "data/raw")]
        ((path, folder),) = read.artifacts
        assert (path.name, path.read_text(), folder) == ("curve.json", "[1, 2]", "curves")
        assert read.models[0].name == "encoder"
        np.testing.assert_array_equal(read.models[0].members[0][1][0], model.members[0][1][0])
        assert (read.status, read.started, read.ended) == ("FAILED", 5.0, 6.0)
        assert len(digest) == 64

    outbox.deliver(check)
    assert outbox.pending() == []
    assert [path.name for path in outbox.folder.iterdir()] == ["deliver.lock"]


def test_the_digest_is_of_the_content_and_not_of_the_time(outbox):
    digests = []
    for started, seed in ((1.0, 0), (2.0, 0), (2.0, 1)):
        outbox.put(RunRecord("a", "a", "cell", params={"seed": seed}, started=started))
    outbox.deliver(lambda _, digest: digests.append(digest))
    assert digests[0] == digests[1] != digests[2]


def test_records_come_in_the_order_they_were_put_even_when_the_clock_goes_back(outbox, monkeypatch):
    moments = iter([500, 400, 400, 900])
    monkeypatch.setattr("tasks.mlflow_runs.outbox.time.time_ns", lambda: next(moments))
    for key in "dbca":
        outbox.put(RunRecord(key, key, "cell"))
    assert [record.key for record in delivered(outbox)] == list("dbca")


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


def cut_the_json(entry: Path) -> str:
    path = entry / "record.json"
    path.write_text(path.read_text()[:-40])
    return "is truncated or no run record"


def change_a_value(entry: Path) -> str:
    path = entry / "record.json"
    path.write_text(path.read_text().replace('"seed": "3"', '"seed": "4"'))
    return "record.json is corrupt"


def cut_the_artifact(entry: Path) -> str:
    (entry / "artifacts" / "0" / "a.txt").write_text("hal")
    return "a.txt is corrupt"


def lose_the_artifact(entry: Path) -> str:
    (entry / "artifacts" / "0" / "a.txt").unlink()
    return "a.txt"


def future_schema(entry: Path) -> str:
    path = entry / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    return "has schema 99"


@pytest.mark.parametrize("damage", [cut_the_json, change_a_value, cut_the_artifact, lose_the_artifact, future_schema])
def test_a_damaged_record_is_named_set_aside_and_does_not_hold_up_the_others(outbox, warnings, tmp_path, damage):
    (tmp_path / "a.txt").write_text("half")
    outbox.put(RunRecord("a", "a", "cell", params={"seed": 3}, artifacts=[(tmp_path / "a.txt", "")]))
    outbox.put(RunRecord("b", "b", "cell"))
    entry = outbox.pending()[0]
    expected = damage(entry)
    assert [record.key for record in delivered(outbox)] == ["b"]
    assert len(warnings) == 1 and entry.name in warnings[0] and expected in warnings[0]
    assert (outbox.folder / "refused" / entry.name).is_dir()


def test_a_record_half_built_or_half_removed_by_a_killed_process_is_none(outbox):
    outbox.put(RunRecord("a", "a", "cell"))
    entry = outbox.pending()[0]
    shutil.copytree(entry, entry.with_name("00000000000000000001-1-a.building"))
    shutil.copytree(entry, entry.with_name("00000000000000000001-1-a.delivered"))
    assert [record.key for record in delivered(outbox)] == ["a"]


def test_what_a_killed_process_left_is_removed_after_a_while(outbox):
    outbox.put(RunRecord("a", "a", "cell"))
    left, fresh = outbox.folder / "1-1-a.building", outbox.folder / "2-1-a.building"
    for folder in (left, fresh):
        folder.mkdir()
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
            outbox.deliver(write, wait=i == 7)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert sorted(keys) == sorted(f"{worker}-{i}" for worker in range(4) for i in range(8))


def test_a_missing_artifact_is_an_error_where_the_record_is_made(outbox, tmp_path):
    with pytest.raises(DataError, match=r"run a: its artifact .*nowhere\.txt is not a file"):
        outbox.put(RunRecord("a", "a", "cell", artifacts=[(tmp_path / "nowhere.txt", "")]))
    assert outbox.pending() == [] and not outbox.folder.exists()


@pytest.mark.parametrize("key", ["", "it's", "a" * 251])
def test_keys_that_cannot_be_looked_up_are_refused(key):
    with pytest.raises(DataError, match="1 to 250 characters without quotes"):
        RunRecord(key, "a", "cell")
