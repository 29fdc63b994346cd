"""Latency of networks by name: what is measured, and the table that comes of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.catalogue import reported_network
from nasgem_core.backbones.spec import GEMNetSpec, PublishedSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import SearchConfig
from nasgem_core.deployment.device import device_name
from nasgem_core.deployment.engines import GraphNetwork, for_engine
from nasgem_core.deployment.fast_form import CUDA_GRAPH, ONNX_RUNTIME
from nasgem_core.deployment.latency import Latency, Setting, TimedNetwork, measure_latency
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.deployment.specs import Spec, build_network, read_spec
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.seeding import derive_seed
from tasks.deployment.open_network import open_network
from tasks.mlflow_registry.registry import is_reference
from tasks.run.progress import progress_bar
from tasks.stages.proxy_images import open_images
from tasks.stages.target_latency import GEMNET


@dataclass(frozen=True)
class Listed:
    """A network to measure.

    Args:
        name: what it is called in the table.
        spec: what it is built from.
        group: what kind of network it is, and on which data its accuracy was measured.
        key: canonical key of its cell, empty where it has none.
        accuracy: a fraction; NaN where none is known.
        given: the name that the user gave, where it is another; it takes the place of `name` where two are equal.
    """

    name: str
    spec: Spec
    group: str
    key: str = ""
    accuracy: float = float("nan")
    given: str = ""


def listed_cell(cell: Cell, accuracy: float, config: SearchConfig) -> Listed:
    """List the proxy network of a cell, and the accuracy that it reached in the search, NaN where it has none."""
    images = open_images(config.proxy, "data/raw")
    layout = NetworkLayout.from_proxy(config.proxy, images.image_size)
    spec = ProxySpec(cell, layout, len(images.classes))
    return Listed(spec.name, spec, "proxy networks", cell.canonical_key, accuracy)


def listed_samples(count: int, config: SearchConfig) -> list[Listed]:
    """List the proxy networks of distinct random cells of the search space, always the same ones."""
    cells = sample_distinct_cells(config.cells, count, derive_seed(config.seed, "latency"))
    return [listed_cell(cell, float("nan"), config) for cell in cells]


def listed_published(name: str) -> Listed:
    """List a published network at ImageNet's size, and the accuracy that the paper reports of it."""
    error = reported_network(name).top1_error
    accuracy = float("nan") if error is None else 1 - error / 100
    return Listed(name, PublishedSpec.for_imagenet(name), "published, ImageNet as reported", accuracy=accuracy)


def listed_network(name: str, root: Path) -> Listed:
    """List a network that was built or trained, and the top-1 accuracy of its card; raises `DataError` for a detector.

    What a detector takes for a picture goes with what its weights find in it, and here weights are fresh ones.
    """
    found = open_network(name, root, untrained=True)
    if isinstance(found.description, DetectorSpec):
        raise DataError(
            f"{name} is the detector {found.description.name}: the latency of detectors is not measured; name the "
            "network that it was trained on"
        )
    card = found.classifier
    spec = read_spec(card.network)
    key = spec.cell.canonical_key if isinstance(spec, GEMNetSpec) else ""
    called = name if is_reference(name) else card.name  # versions of a model share their names
    accuracy = float(card.metrics.get("top1", "nan"))
    known = "trained networks" if "top1" in card.metrics else "networks of unknown accuracy"  # exported as they began
    return Listed(called, spec, known if found.trained else "built networks", key, accuracy, name)


def named_apart(listed: Sequence[Listed]) -> list[Listed]:
    """Return the networks, those of equal names under the names that the user gave."""
    counts = Counter(item.name for item in listed)
    return [replace(item, name=item.given) if item.given and counts[item.name] > 1 else item for item in listed]


def measure_networks(listed: Sequence[Listed], setting: Setting, engine: str = "torch") -> pd.DataFrame:
    """Measure the fast forms of networks side by side, with fresh weights, whose values make no difference.

    Args:
        listed: the networks.
        setting: how.
        engine: one of `nasgem_core.deployment.fast_form.ENGINES`; the peak of memory is always that of torch.

    Returns:
        One row for each network.

    Raises:
        ParameterError: the engine is unknown, or does not run on the device.
    """
    on_gpu = setting.device.startswith("cuda")
    if engine == ONNX_RUNTIME and setting.device != "cpu":
        raise ParameterError(f"device = {setting.device!r}: {engine} is measured on the cpu only")
    if engine == CUDA_GRAPH and not on_gpu:
        raise ParameterError(f"device = {setting.device!r}: {engine} is measured on a GPU only")
    listed = named_apart(listed)
    networks = [build_network(item.spec) for item in listed]
    costs = [count_costs(network, item.spec.image_size) for network, item in zip(networks, listed, strict=True)]
    runs = [
        for_engine(network, item.name, item.spec.image_size, engine, setting.threads)
        for network, item in zip(networks, listed, strict=True)
    ]
    counted = [
        run.network if isinstance(run, GraphNetwork) else network if engine == ONNX_RUNTIME else None
        for run, network in zip(runs, networks, strict=True)
    ]
    timed = [
        TimedNetwork(item.name, run, item.spec.image_size, other)
        for item, run, other in zip(listed, runs, counted, strict=True)
    ]
    with progress_bar("measuring latency", setting.repeats * len(timed)) as bar:
        found = measure_latency(timed, setting, on_progress=bar.update)
    name = device_name(setting.device)
    rows = [
        _row(item, cost.macs, cost.params, latency) for item, cost, latency in zip(listed, costs, found, strict=True)
    ]
    fixed = {
        "device": name,
        "engine": engine,
        "threads": setting.threads,
        "batch": setting.batch,
        "repeats": setting.repeats,
    }
    return pd.DataFrame(rows).assign(**fixed)


def _row(item: Listed, macs: int, params: int, latency: Latency) -> dict[str, object]:
    height, width = item.spec.image_size
    own = {"network": item.name, "group": item.group, "key": item.key, "height": height, "width": width}
    own["cell"] = item.spec.cell.to_json() if isinstance(item.spec, ProxySpec) else ""
    own[GEMNET] = item.spec.to_json() if isinstance(item.spec, GEMNetSpec) else ""
    return {**own, "macs": macs, "params": params, "accuracy": item.accuracy, **vars(latency)}
