"""Latency of the networks of stage `imagenet`, as they would be deployed: in ONNX Runtime, on one CPU thread."""

from collections.abc import Mapping, Sequence
from typing import Any

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.deployment.device import device_name
from nasgem_core.deployment.latency import Setting, TimedNetwork, measure_latency
from tasks.store.caching import cached_task

ENGINE = "onnxruntime"


@cached_task("latency of networks")
def measure_networks_task(networks: Sequence[dict[str, Any]], machine: str, passes: int) -> list[float]:
    """Return the median latency of each network in milliseconds; all of them take turns.

    Args:
        networks: documents of the networks; their weights make no difference.
        machine: name of the processor: another one has records of its own.
        passes: timed passes of each network.
    """
    from nasgem_core.deployment.engines import for_engine  # a second, which only this task needs

    specs = [NetworkSpec.from_dict(network) for network in networks]
    timed = [
        TimedNetwork(spec.name, for_engine(spec.build(), spec.name, spec.image_size, ENGINE, 1), spec.image_size)
        for spec in specs
    ]
    return [latency.median_ms for latency in measure_latency(timed, Setting(repeats=passes))]


def latencies_of(specs: Mapping[str, NetworkSpec], passes: int) -> dict[str, float]:
    """Return the latencies in milliseconds of networks by their names; none with no passes."""
    if not passes or not specs:
        return {}
    found = measure_networks_task([spec.to_dict() for spec in specs.values()], device_name("cpu"), passes)
    return dict(zip(specs, found, strict=True))
