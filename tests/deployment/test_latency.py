import gc

import numpy as np
import pytest
import torch
from torch import nn

from nasgem_core.deployment.latency import WARM_UP, Latency, Setting, TimedNetwork, measure_latency
from nasgem_core.errors import ParameterError


class Clock:
    """A clock that stands still but for what networks add to it."""

    now = 0.0

    def __call__(self):
        return self.now


class Timed(nn.Module):
    """Takes a known time of a clock, now and then a much longer one, and notes who was called when."""

    def __init__(self, name, log, seconds=0.0, hiccup=0, clock=None):
        super().__init__()
        self.name, self.log, self.seconds, self.hiccup = name, log, seconds, hiccup
        self.clock = clock or Clock()

    def forward(self, images):
        self.log.append((self.name, tuple(images.shape), torch.get_num_threads(), gc.isenabled(), self.training))
        slow = self.hiccup and len(self.log) % self.hiccup == 0
        self.clock.now += self.seconds * (20 if slow else 1)
        return images.mean()


def networks(log, count=3):
    return [TimedNetwork(str(i), Timed(str(i), log), (4 + i, 5)) for i in range(count)]


def test_a_summary_is_median_percentile_and_spread():
    found = Latency.of(np.arange(1, 102) / 1e3, 7)
    assert (found.median_ms, found.p95_ms, found.spread_ms, found.peak_bytes) == (51, 96, 50, 7)


def test_known_times_are_found_though_some_passes_are_interrupted():
    clock = Clock()
    timed = [Timed("a", [], 0.002, hiccup=7, clock=clock), Timed("b", [], 0.006, clock=clock)]
    found = measure_latency([TimedNetwork(n.name, n, (4, 4)) for n in timed], Setting(repeats=15), clock=clock)
    assert found[0].median_ms == pytest.approx(2) and found[1].median_ms == pytest.approx(6)
    assert found[0].p95_ms > 20 > found[0].spread_ms and found[1].spread_ms == pytest.approx(0)


def test_the_clock_of_the_machine_is_read():
    (found,) = measure_latency(networks([], 1), Setting(repeats=3))
    assert 0 < found.median_ms < 10_000


def test_networks_take_turns_in_an_order_of_their_own():
    log = []
    measure_latency(networks(log), Setting(repeats=8))
    names = [name for name, *_ in log][(WARM_UP + 1) * 3 :]
    assert names[::2] == names[1::2]  # each timed pass follows an untimed one
    turns = [tuple(names[i : i + 6 : 2]) for i in range(0, len(names), 6)]
    assert len(turns) == 8 and all(sorted(turn) == ["0", "1", "2"] for turn in turns)
    assert len(set(turns)) > 1
    again = []
    measure_latency(networks(again), Setting(repeats=8))
    assert again == log


def test_networks_run_on_their_images_in_evaluation_mode_with_the_threads_asked_for():
    log, before = [], torch.get_num_threads()
    done = []
    measure_latency(networks(log), Setting(batch=5, threads=2, repeats=2), on_progress=done.append)
    assert done == [1, 2, 3, 4, 5, 6]
    assert {entry[1:] for entry in log} == {((5, 3, size, 5), 2, False, False) for size in (4, 5, 6)}
    assert torch.get_num_threads() == before and gc.isenabled()


def test_no_networks_give_no_results():
    assert measure_latency([], Setting()) == []


def test_a_network_that_does_not_take_the_images_is_named():
    with pytest.raises(ParameterError, match=r"small cannot be run on 1 images of 2 x 2 pixels on cpu: .*Kernel size"):
        measure_latency([TimedNetwork("small", nn.Conv2d(3, 1, 5), (2, 2))], Setting())
    assert gc.isenabled()


@pytest.mark.parametrize("name", ["batch", "threads", "repeats"])
def test_numbers_below_one_are_refused(name):
    with pytest.raises(ParameterError, match=f"{name} = 0: must be at least 1"):
        Setting(**{name: 0})


@pytest.mark.parametrize("device", ["cuda:77", "abacus", "meta:x", "meta"])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(ParameterError, match=f"device = '{device}' is not there"):
        Setting(device=device)


@pytest.mark.gpu
def test_a_pass_on_cuda_is_waited_for():
    chain = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(4)))
    small, large = measure_latency(
        [TimedNetwork("small", chain, (64, 64)), TimedNetwork("large", chain, (2048, 2048))],
        Setting(device="cuda", batch=4, repeats=10),
    )
    assert large.median_ms > 2 * small.median_ms
    assert large.peak_bytes > 100 * small.peak_bytes


def test_images_that_do_not_fit_are_named():
    with pytest.raises(ParameterError, match="batch = 1000000000000: too much for cpu, lower it"):
        measure_latency([TimedNetwork("small", nn.Conv2d(3, 1, 1), (64, 64))], Setting(batch=10**12))
