"""The package in `examples/plugin`, installed as a user does, through everything that its things can reach."""

import shutil
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import kendalltau

from nasgem_core import registry
from nasgem_core.benchmarks.catalogue import BENCHMARKS
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells, sample_distinct_cells
from nasgem_core.config.choices import OBJECTIVES
from nasgem_core.config.search import CellsConfig
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.notation import free_notation
from nasgem_core.predictors.space import Space
from nasgem_core.search.objective import ProxyNetworks
from tasks.store import fingerprint as fingerprints
from tasks.store.fingerprint import fingerprint, registered_source
from tests.flows.workspace import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path) -> Path:
    """Install the example into a folder of its own, offline, next to a package that cannot be imported."""
    source, folder = tmp_path / "source", tmp_path / "site"
    shutil.copytree(ROOT / "examples" / "plugin", source)  # a build leaves files in the source
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *options, str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    broken = folder / "broken-1.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (broken / "entry_points.txt").write_text("[nasgem.operations]\nmissing = no_such_module:OPERATION\n")
    return folder


@pytest.fixture
def installed(site, monkeypatch):
    """Let this process find the package, and forget it afterwards."""
    monkeypatch.syspath_prepend(str(site))
    for known in (OPERATIONS, OBJECTIVES, PREDICTORS, BENCHMARKS):
        monkeypatch.setattr(known, "_loaded", {})
    registry._plugins.cache_clear()
    yield site
    registry._plugins.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "nasgem_extras"]:
        del sys.modules[name]


def test_things_of_a_plugin_are_found_by_name(installed):
    assert "dilated3x3" in OPERATIONS.names() and "depth" in OBJECTIVES.names()
    operation = OPERATIONS.get("dilated3x3")
    layer = operation.layer(3, 8)
    weights = sum(weight.numel() for weight in layer.parameters())
    assert operation.params(np.array(3), np.array(8)) == weights + 2 * 8
    assert operation.macs_per_pixel(np.array(3), np.array(8)) == weights
    networks = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=8), 3)
    cells = sample_cells(CellsConfig(vertices=7, operations=("conv1x1", "dilated3x3")), 20, 0)
    longest = [
        nx.dag_longest_path_length(nx.from_numpy_array(cell.adjacency, create_using=nx.DiGraph)) for cell in cells
    ]
    assert (OBJECTIVES.get("depth").open("depth", networks, 0.1).costs(cells) / 1e6).tolist() == longest

    assert "lab" in BENCHMARKS.names() and BENCHMARKS.get("lab").runs == 3


def test_the_predictor_of_a_plugin_learns(installed):
    cells = sample_distinct_cells(CellsConfig(vertices=7), 60, 0)
    space = Space.build(cells, free_notation(cells.operation_names))
    labels = cells.num_vertices + np.linspace(0, 0.1, 60)
    predictor = PREDICTORS.get("ridge").build(space, {}, None).fit(np.arange(40), labels[:40], 0)
    assert kendalltau(predictor.predict(np.arange(40, 60)), labels[40:]).statistic > 0.5


def test_a_change_in_a_plugin_redoes_what_depends_on_it(installed):
    edge = np.array([[0, 1], [0, 0]])

    def keys() -> list[str]:
        for name in ("source_fingerprint", "source_closure", "_parsed", "_normalised_source", "_package_path"):
            getattr(fingerprints, name).cache_clear()
        cells = [fingerprint(Cell(edge, ("input", name))) for name in ("dilated3x3", "conv1x1")]
        return [*cells, registered_source(OBJECTIVES, "depth")]

    first = keys()
    path = installed / "nasgem_extras" / "dilated3x3.py"
    path.write_text(path.read_text().replace("dilation=2", "dilation=3").replace("padding=2", "padding=3"))
    second = keys()
    assert second[0] != first[0] and second[1:] == first[1:]


@pytest.mark.nightly
def test_a_plugin_goes_all_the_way(fresh, site):
    paths = {"PYTHONPATH": f"{fresh.code}:{site}"}

    def nasgem(*words: str) -> str:
        return fresh.succeed("nasgem", *words, **paths)

    fresh.configure("cells", operations=["conv1x1", "dilated3x3"])
    fresh.configure("score", objective="depth")
    fresh.configure("predictor", kind="ridge")
    assert "known operations are conv1x1, " in fresh.refused("nasgem", "search")  # it is not installed
    refused = fresh.refused("nasgem", "search", "--set", "cells.operations=[missing]", **paths)
    assert "operation 'missing' of the package broken cannot be loaded" in refused
    fresh.configure("cells", operations=["conv1x1", "dilated3x3"])
    nasgem("search")
    table = pd.read_parquet(fresh.root / "data/estimator/cells.parquet")
    assert "depth_operations" in table
    cell = next(text for text in table["cell"] if '"dilated3x3"' in text)
    (fresh.root / "cell.json").write_text(cell)
    assert "dilated3x3" in nasgem("show", "cell.json")
    nasgem("latency", "cell.json", "--repeats", "2")
    nasgem("build", "cell.json", "--macs", "10M", "--layout", "cifar", "--output", "network.json")
    shown = nasgem("export", "network.json", "--output", "exported")
    assert all(form in shown for form in ("onnx", "python", "torch")) and "Not written" not in shown
    assert "def dilated3x3(" in (fresh.root / "exported/network.py").read_text()
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(fresh.root / "photo.png")
    assert "probability" in nasgem("predict", "photo.png", "--model", "exported")
