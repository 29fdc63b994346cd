import threading

import pytest
import torch

from nasgem_core.errors import NasgemError
from nasgem_core.training.checkpoint import LAST, Checkpoint, load_checkpoint, save_checkpoint
from tasks.store import mirror
from tasks.store import object_store as module
from tasks.store.mirror import (
    fetch_checkpoints,
    fetch_record,
    send_checkpoint,
    send_missing_record,
    send_record,
    tell_failures,
)
from tasks.store.object_store import STORE, object_store


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv(STORE, f"file://{tmp_path}/store")
    module._listing.cache_clear()
    return object_store()


def save(folder, step):
    save_checkpoint(folder, Checkpoint({"name": "a"}, step, step, {"weight": torch.full((2,), float(step))}, {}, ()))


def step_of(folder):
    return load_checkpoint(folder, {"name": "a"}).step


def test_without_a_store_nothing_moves(tmp_path, monkeypatch):
    monkeypatch.delenv(STORE, raising=False)
    path = tmp_path / "record"
    fetch_record(path)
    send_record(path)
    send_missing_record(path)
    fetch_checkpoints(tmp_path / "a")
    send_checkpoint(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_record_goes_to_another_machine_by_the_store(store, tmp_path):
    own, other = tmp_path / "own" / "record-1", tmp_path / "other" / "record-1"
    own.parent.mkdir()
    own.write_bytes(b"content")
    fetch_record(other)
    assert not other.exists(), "the store has none"
    send_missing_record(own)
    fetch_record(other)
    assert other.read_bytes() == b"content"
    own.write_bytes(b"changed")
    send_missing_record(own)
    assert store.get("records/record-1") == b"content", "the store has it"
    send_record(own)
    fetch_record(other)
    assert store.get("records/record-1") == b"changed" and other.read_bytes() == b"content", "one that is here stays"


def test_a_training_goes_on_from_the_later_of_two_checkpoints(store, tmp_path):
    own, other = tmp_path / "own" / "finalists" / "cell-1", tmp_path / "other" / "finalists" / "cell-1"
    save(own, 1)
    send_checkpoint(own)
    fetch_checkpoints(other)
    assert step_of(other) == 1
    save(other, 2)
    fetch_checkpoints(other)
    assert step_of(other) == 2, "the store's is of an earlier step"
    send_checkpoint(other)
    fetch_checkpoints(own)
    assert step_of(own) == 2
    (own / LAST).write_bytes(b"torn")
    fetch_checkpoints(own)
    assert step_of(own) == 2, "the store has one that can be read"


def test_a_store_that_fails_is_named_once_and_the_work_goes_on(store, tmp_path, monkeypatch):
    record, asked, told = tmp_path / "record-1", [], []
    record.write_bytes(b"content")
    tell_failures(told.append)

    def failing(name, content):
        asked.append(name)
        raise NasgemError("the store at x cannot be used (no route)")

    monkeypatch.setattr(store, "put", failing)
    monkeypatch.setattr(mirror, "_GIVEN_UP", set())
    send_record(record)
    send_record(record)
    fetch_record(tmp_path / "record-2")
    assert asked == ["records/record-1"]
    (sentence,) = told
    assert sentence.startswith("the store at x cannot be used (no route). The work goes on without it")


def test_threads_that_find_it_out_together_name_it_once(store, tmp_path, monkeypatch):
    told, both = [], threading.Barrier(2)
    record = tmp_path / "record-1"
    record.write_bytes(b"x")

    def failing(name, content):
        both.wait(10)
        raise NasgemError("the store at x cannot be used (no route)")

    monkeypatch.setattr(store, "put", failing)
    monkeypatch.setattr(mirror, "_GIVEN_UP", set())
    mirror.tell_failures(told.append)
    threads = [threading.Thread(target=send_record, args=(record,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
