import os

import pytest
import torch

from nasgem_core.errors import ParameterError
from tasks.run.placement import SLOT, Placement, default_device, default_workers, reader_processes


@pytest.fixture
def gpus(monkeypatch):
    """Have this machine seem to have three GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("NASGEM_DEVICE", "NASGEM_WORKERS", "LOCAL_WORLD_SIZE", SLOT):
        monkeypatch.delenv(name, raising=False)


def test_workers_take_the_gpus_in_turn(gpus, monkeypatch):
    assert Placement("cuda").own_device() == "cuda:0"
    for slot, device in (("0", "cuda:0"), ("2", "cuda:2"), ("4", "cuda:1")):
        monkeypatch.setenv(SLOT, slot)
        assert Placement("cuda").own_device() == device
        assert Placement("cuda:1").own_device() == "cuda:1" and Placement("cpu").own_device() == "cpu"


def test_a_gpu_is_used_where_there_is_one(gpus, monkeypatch):
    assert default_device() == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert default_device() == "cpu"


def test_a_device_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("NASGEM_DEVICE", "cpu")
    assert default_device() == "cpu"
    monkeypatch.setenv("NASGEM_DEVICE", "abacus")
    with pytest.raises(ParameterError, match=r"^device = 'abacus' cannot be used: "):
        default_device()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("NASGEM_DEVICE", "cuda:1")
    with pytest.raises(ParameterError, match=r"^device = 'cuda:1': no CUDA device is available here; use cpu$"):
        default_device()


def test_there_is_a_worker_for_each_core_or_gpu(gpus, monkeypatch):
    assert default_workers("cpu") == len(os.sched_getaffinity(0))
    assert (default_workers("cuda"), default_workers("cuda:2")) == (3, 1)
    monkeypatch.setenv("NASGEM_WORKERS", "7")
    assert default_workers("cpu") == default_workers("cuda") == 7


@pytest.mark.parametrize("count", ["0", "-1", "two", "1.5", "²", "10000", "9" * 5000])
def test_a_wrong_number_of_workers_is_named(monkeypatch, count):
    monkeypatch.setenv("NASGEM_WORKERS", count)
    with pytest.raises(
        ParameterError, match=rf"^workers = '{count[:60]}.*: must be a whole number of at least 1 and at most 9999$"
    ):
        default_workers("cpu")


def test_readers_share_the_cores_of_the_machine(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    assert [reader_processes(sharing) for sharing in (1, 2, 16)] == [12, 7, 1]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setenv(SLOT, "1")
    assert reader_processes(1) == 7, "a worker leaves cores to those of the other GPUs"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert reader_processes(1) == 3
