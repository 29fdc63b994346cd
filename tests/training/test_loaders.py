import threading

import numpy as np
import pytest

from nasgem_core.training import image_files
from nasgem_core.training.image_files import list_image_files
from nasgem_core.training.loaders import BatchLoader, ImageBatches
from tests.training.folders import write_images

BROKEN = "train/blue/001.png"


@pytest.fixture
def folder(tmp_path):
    return write_images(tmp_path / "data")


def batches_of(folder, split=0, in_memory=True, monkeypatch=None):
    if not in_memory:
        monkeypatch.setattr(image_files, "MEMORY_BYTES", 0)
    batches = ImageBatches(list_image_files(folder)[split], 16, (0.3, 1.0), 1.0, seed=0)
    batches.decode()
    return batches


def assert_equal(first, second):
    for a, b in zip(first[:3], second[:3], strict=True):
        assert np.array_equal(a, b)
    assert first.broken == second.broken


def test_files_and_memory_give_equal_batches(folder, monkeypatch):
    (folder / BROKEN).write_bytes(b"no image")
    requests = [(0, np.array([5, 1, 33])), (1, np.array([5])), (-1, np.array([0, 1, 2]))]
    memory = batches_of(folder)
    files = batches_of(folder, in_memory=False, monkeypatch=monkeypatch)
    assert memory.decoded is not None and files.decoded is None
    for request in requests:
        assert_equal(memory[request], files[request])


def test_an_image_has_the_same_crop_in_any_batch_but_another_in_another_epoch(folder):
    batches = batches_of(folder)
    together, alone = batches[2, np.array([4, 9, 30])], batches[2, np.array([9])]
    assert np.array_equal(together.pixels[1], alone.pixels[0])
    assert not np.array_equal(alone.pixels[0], batches[3, np.array([9])].pixels[0])
    assert together.labels.tolist() == [0, 0, 2] and together.pixels.shape == (3, 16, 16, 3)


def test_in_training_another_image_takes_the_place_of_a_broken_one(folder):
    (folder / BROKEN).write_bytes(b"")
    batches = batches_of(folder)
    batch = batches[0, np.array([0, 1])]
    assert batch.broken == [1] and batch.indices.tolist() == [0, 2] and batch.labels.tolist() == [0, 0]
    assert np.array_equal(batch.pixels[1], batches[0, np.array([2])].pixels[0])


def test_in_validation_nothing_does(folder):
    (folder / "val/red/004.png").write_bytes(b"")
    batch = batches_of(folder, split=1)[-1, np.array([13, 14])]
    assert batch.broken == [14] and batch.labels.tolist() == [2, -1] and (batch.pixels[1] == 0).all()


def test_where_nothing_can_be_read_there_is_padding(folder):
    for path in (folder / "train").rglob("*.png"):
        path.write_bytes(b"")
    batch = batches_of(folder)[0, np.array([3])]
    assert batch.labels.tolist() == [-1] and len(set(batch.broken)) == 36


@pytest.mark.slow
def test_workers_give_the_batches_of_one_process_epoch_after_epoch(folder, monkeypatch):
    batches = batches_of(folder, in_memory=False, monkeypatch=monkeypatch)
    (folder / BROKEN).write_bytes(b"no image")
    loader = BatchLoader(batches, 2, pinned=False)
    for epoch in range(2):
        requests = [(epoch, np.arange(start, start + 6)) for start in range(0, 36, 6)]
        found = list(loader.run(requests))
        assert len(found) == 6
        for batch, request in zip(found, requests, strict=True):
            assert_equal(batch, batches[request])
    assert list(loader.run([])) == []


def test_workers_end_well_whatever_this_process_does_at_its_exit(folder, monkeypatch):
    def fail() -> None:
        raise AssertionError("called in a fork")

    monkeypatch.setattr(threading, "_threading_atexits", [fail])
    loader = BatchLoader(batches_of(folder), 2, pinned=False)
    assert len(list(loader.run([(0, np.arange(4))]))) == 1
    workers = loader._loader._iterator._workers
    loader._loader._iterator._shutdown_workers()
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_without_workers_batches_are_made_when_they_are_asked_for(folder):
    batches = batches_of(folder)
    loader = BatchLoader(batches, 0, pinned=False)
    found = loader.run([(0, np.array([1])), None])
    assert next(found).indices.tolist() == [1]
    with pytest.raises(TypeError):
        next(found)


def test_the_seed_changes_the_crops(folder):
    files = list_image_files(folder)[0]
    first, second = (ImageBatches(files, 16, (0.3, 1.0), 1.0, seed) for seed in (0, 1))
    request = (0, np.arange(4))
    assert not np.array_equal(first[request].pixels, second[request].pixels)
