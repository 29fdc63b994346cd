import pytest

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DeviceMemoryError
from nasgem_core.training import worker_rates
from nasgem_core.training.together import Together
from nasgem_core.training.worker_rates import WorkerRate, best_rate, fits, measure_workers

GIB = 2**30


def measured(monkeypatch, seconds, *, free=100 * GIB, peak=GIB):
    """Measure a device on which so many processes take so many seconds for 8 trainings; None: they do not fit."""

    def train(jobs, images, config, *, device, workers):
        if seconds[workers] is None:
            raise DeviceMemoryError("too little")
        return Together((None,) * len(jobs), seconds[workers], peak)

    monkeypatch.setattr(worker_rates, "train_together", train)
    seen = []
    found = measure_workers([None] * 8, None, ProxyConfig(), device="cuda:0", free_bytes=free, on_measured=seen.append)
    assert seen == found
    return [rate.workers for rate in found], best_rate(found).workers


def test_more_processes_are_tried_while_they_are_faster(monkeypatch):
    assert measured(monkeypatch, {1: 80, 2: 50, 4: 40, 8: 30}) == ([1, 2, 4, 8], 8)
    assert measured(monkeypatch, {1: 80, 2: 50, 4: 49, 8: 30}) == ([1, 2, 4], 2)
    assert measured(monkeypatch, {1: 80, 2: 90}) == ([1, 2], 1)


def test_more_processes_than_fit_are_not_tried(monkeypatch):
    assert measured(monkeypatch, {1: 80, 2: 50}, free=3 * GIB) == ([1, 2], 2)
    assert measured(monkeypatch, {1: 80}, free=2 * GIB) == ([1], 1)


def test_processes_that_run_out_of_memory_end_it(monkeypatch):
    assert measured(monkeypatch, {1: 80, 2: 50, 4: None}) == ([1, 2], 2)
    with pytest.raises(DeviceMemoryError):
        measured(monkeypatch, {1: None})


def test_a_training_an_hour_is_the_best_of_one_rate():
    assert best_rate([WorkerRate(1, 1.0, 0)]).workers == 1
    assert fits(4, 0, 0) and fits(4, GIB, 5 * GIB) and not fits(4, GIB, 5 * GIB - 1)
