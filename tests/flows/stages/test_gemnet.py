"""GEMNet from the command line: the stage on a chosen cell, and `nasgem build` on any."""

import pytest

from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec
from nasgem_core.cells.cell import Cell
from tasks.store.artifacts import write_json
from tests.flows.workspace import Workspace

pytestmark = pytest.mark.slow
CELL = Cell.from_dict(
    {
        "schema": "nasgem.cell/1",
        "operations": ["input", "dwconv3x3", "dwconv3x3", "conv1x1"],
        "edges": [[0, 1], [0, 2], [2, 3]],
    }
)


@pytest.fixture
def chosen(fresh) -> Workspace:
    """Give a folder with a chosen cell."""
    write_json(fresh.root / "data/bootstrap/best_cell.json", "nasgem.best_cell/1", {"cell": CELL.to_dict()})
    (fresh.root / "cell.json").write_text(CELL.to_json())
    return fresh


def test_stage_builds_a_network_a_budget_and_builds_it_again(chosen):
    text = chosen.succeed("nasgem", "stage", "gemnet")
    assert "gemnet_a: 46" in text and "gemnet_b: 56" in text
    hashes = chosen.hashes("gemnet", "metrics")
    assert set(hashes) == {
        "data/gemnet/cell.png",
        "data/gemnet/costs.parquet",
        "data/gemnet/gemnet_a.json",
        "data/gemnet/gemnet_b.json",
        "data/metrics/gemnet.json",
    }
    spec = NetworkSpec.from_json((chosen.root / "data/gemnet/gemnet_a.json").read_text())
    assert isinstance(spec, GEMNetSpec) and spec.cell == CELL
    chosen.succeed("nasgem", "stage", "gemnet")
    assert chosen.hashes("gemnet", "metrics") == hashes
    params = chosen.root / "params.yaml"
    params.write_text(params.read_text().replace("macs: [463000000, 563000000]", "macs: [463]"))
    assert "section gemnet of params.yaml: macs = 463 cannot be met" in chosen.refused("nasgem", "stage", "gemnet")
    assert chosen.hashes("gemnet", "metrics") == hashes


def test_build_prints_costs_and_writes_what_rebuilds_the_network(chosen):
    text = chosen.succeed(
        "nasgem",
        "build",
        "cell.json",
        "--macs",
        "20M",
        "--layout",
        "cifar",
        "--classes",
        "10",
        "--output",
        "small.json",
    )
    spec = NetworkSpec.from_json((chosen.root / "small.json").read_text())
    assert (spec.name, spec.num_classes, spec.image_size) == ("small", 10, (32, 32))
    assert "(budget 20 M)" in text and "stage 5" in text and "classifier" in text
    assert ", ".join(f"{f.channels} at stride {f.stride}" for f in spec.build().feature_info) in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--macs", "1k"), "macs = 1k cannot be met: the networks of this cell"),
        (("--macs", "463M", "--output", "network.txt"), "output = network.txt: the name must end in .json"),
        (("--macs", "463M", "--output", "params.yaml/network.json"), "params.yaml/network.json cannot be written"),
    ],
)
def test_what_cannot_be_built_is_said_in_one_line(chosen, options, message):
    assert message in chosen.refused("nasgem", "build", "data/bootstrap/best_cell.json", *options)
