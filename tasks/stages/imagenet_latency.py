"""Latency of the networks of stage `imagenet`, one image on one CPU thread: in ONNX Runtime and in PyTorch."""

from collections.abc import Mapping, Sequence
from typing import Any

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.deployment.device import device_name
from nasgem_core.deployment.fast_form import ONNX_RUNTIME, TORCH
from nasgem_core.deployment.latency import Setting, TimedNetwork, measure_latency
from tasks.stages.imagenet_table import LATENCY, LATENCY_TORCH
from tasks.store.caching import cached_task

ENGINES = {LATENCY: ONNX_RUNTIME, LATENCY_TORCH: TORCH}
"""What runs the networks, by the name of the figure."""


def measured_latencies(specs: Mapping[str, NetworkSpec], passes: int) -> dict[str, dict[str, float]]:
    """Return the median latencies in milliseconds of networks by their names, in each engine; all take turns."""
    from nasgem_core.deployment.engines import for_engine  # a second, which only this needs

    if not passes or not specs:
        return {}
    timed = [
        TimedNetwork(spec.name, for_engine(spec.build(), spec.name, spec.image_size, engine, 1), spec.image_size)
        for spec in specs.values()
        for engine in ENGINES.values()
    ]
    medians = iter([latency.median_ms for latency in measure_latency(timed, Setting(repeats=passes))])
    return {name: {figure: next(medians) for figure in ENGINES} for name in specs}


@cached_task("latency of networks")
def measure_networks_task(networks: Sequence[dict[str, Any]], machine: str, passes: int) -> list[dict[str, float]]:
    """Return the latencies of each network by engine.

    Args:
        networks: documents of the networks; their weights make no difference.
        machine: name of the processor: another one has records of its own.
        passes: timed passes of each network.
    """
    specs = {str(place): NetworkSpec.from_dict(network) for place, network in enumerate(networks)}
    return list(measured_latencies(specs, passes).values())


def latencies_of(specs: Mapping[str, NetworkSpec], passes: int) -> dict[str, dict[str, float]]:
    """Return the latencies in milliseconds of networks by their names and engines; none with no passes."""
    if not passes or not specs:
        return {}
    found = measure_networks_task([spec.to_dict() for spec in specs.values()], device_name("cpu"), passes)
    return dict(zip(specs, found, strict=True))
