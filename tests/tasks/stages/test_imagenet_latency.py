from dataclasses import replace

import pytest

from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.deployment import engines as engines_module
from tasks.stages import imagenet_latency
from tasks.stages.imagenet_latency import latencies_of, measure_networks_task
from tasks.stages.imagenet_table import LATENCY, LATENCY_TORCH

SMALL = scaled_to_budget("mobilenet_v2", 3, (32, 32), 3_000_000)
LARGE = scaled_to_budget("mobilenet_v2", 3, (64, 64), 60_000_000)


@pytest.fixture
def engines(monkeypatch):
    """Give the engines that were asked for; PyTorch runs the networks, which takes no export."""
    asked = []

    def as_it_is(network, name, image_size, engine, threads):
        asked.append((name, image_size, engine, threads))
        return network

    monkeypatch.setattr(imagenet_latency, "measure_networks_task", measure_networks_task.fn)
    monkeypatch.setattr(engines_module, "for_engine", as_it_is)
    return asked


def test_each_network_has_its_own_latency_on_one_thread_in_both_engines(engines):
    found = latencies_of({"mobilenet_v2": LARGE, "small": replace(SMALL, name="small")}, 5)
    assert list(found) == ["mobilenet_v2", "small"]
    for figure in (LATENCY, LATENCY_TORCH):
        assert found["mobilenet_v2"][figure] > found["small"][figure] > 0, "twenty times the multiply-adds"
    sizes = {"mobilenet_v2": (64, 64), "small": (32, 32)}
    assert engines == [(name, size, engine, 1) for name, size in sizes.items() for engine in ("onnxruntime", "torch")]


def test_without_passes_or_networks_nothing_is_measured(engines):
    assert latencies_of({"small": SMALL}, 0) == latencies_of({}, 5) == {}
    assert not engines
