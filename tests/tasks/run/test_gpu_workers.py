import pytest
import torch

from nasgem_core.training.worker_rates import WorkerRate
from tasks.run.gpu_workers import FILE, keep_workers, workers_on
from tasks.run.placement import default_workers

GIB = 2**30


@pytest.fixture(autouse=True)
def gpus(monkeypatch, tmp_path):
    """Have this machine seem to have three GPUs, the last of another kind, with the free memory of a mapping."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NASGEM_WORKERS", raising=False)
    free = {0: 80 * GIB, 1: 6 * GIB, 2: 80 * GIB}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "small" if index == 2 else "large")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (free[index], 80 * GIB))
    return free


def test_a_gpu_has_one_worker_until_it_was_measured():
    assert [workers_on(index) for index in range(3)] == [1, 1, 1]
    FILE.parent.mkdir()
    FILE.write_text("{")
    assert workers_on(0) == 1


def test_as_many_share_a_gpu_of_the_measured_kind_as_fit(gpus):
    keep_workers("large", WorkerRate(4, 1000.0, GIB))
    assert [workers_on(index) for index in range(3)] == [4, 4, 1]
    gpus[1] = 3 * GIB
    assert workers_on(1) == 2
    gpus[1] = 0
    assert workers_on(1) == 1


def test_each_gpu_gets_as_many_as_the_fullest_one(gpus, monkeypatch):
    keep_workers("large", WorkerRate(4, 1000.0, GIB))
    assert (default_workers("cuda:0"), default_workers("cuda:2"), default_workers("cuda")) == (4, 1, 3)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    gpus[1] = 3 * GIB
    assert default_workers("cuda") == 4
