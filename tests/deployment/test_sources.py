import ast
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from safetensors.torch import save_file
from torch import nn

from nasgem_core.backbones.spec import GEMNetSpec, PublishedSpec
from nasgem_core.deployment.detector_file import detector_file
from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.sources import source_of
from nasgem_core.deployment.specs import build_network
from nasgem_core.operations.operation import Operation
from nasgem_core.operations.registry import OPERATIONS
from tests.backbones.cells import SMALL, skeletons
from tests.cells.graphs import cells
from tests.deployment.detectors import detector_spec, detector_weights
from tests.deployment.networks import card, gemnet_spec, images, loaded, proxy_spec, trained

ROOT = Path(__file__).parents[2]


@pytest.fixture
def unreadable(monkeypatch):
    """Add an operation for a test whose layer's source cannot be copied into a file."""
    monkeypatch.setattr(OPERATIONS, "_added", {})
    operation = Operation(
        "conv5x5",
        macs_per_pixel=lambda c_in, c_out: 25 * c_in * c_out,
        params=lambda c_in, c_out: 25 * c_in * c_out + 2 * c_out,
        layer=lambda c_in, c_out: nn.Conv2d(c_in, c_out, 5, padding=2, bias=False),
    )
    OPERATIONS.add("conv5x5", operation)
    return "conv5x5"


def check(spec, folder):
    """Assert that the file gives the network's outputs and keys, and imports torch alone; return it."""
    network = trained(spec)
    text = source_of(card(spec), spec, network)
    save_file(network.state_dict(), folder / "weights.safetensors")
    rebuilt = loaded(text, folder).build()
    assert set(rebuilt.state_dict()) == set(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(images(spec)), network(images(spec)))
    tree = ast.parse(text)
    # `prepare` needs numpy and Pillow, and imports them only when it is called.
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= {"torch", *sys.stdlib_module_names}
    return text


@pytest.mark.parametrize("spec", [gemnet_spec(), proxy_spec()], ids=["gemnet", "proxy"])
def test_networks_of_cells_hold_the_cell_as_data(spec, tmp_path):
    text = check(spec, tmp_path)
    assert max(map(len, text.splitlines())) <= 120
    assert 'OPERATIONS = ("input", "conv1x1", "dwconv3x3", "conv3x3", "conv1x1")' in text
    assert "EDGES = ((0, 1), (0, 2), (0, 4), (1, 3), (2, 3), (2, 4))" in text


@given(cell=cells(), skeleton=skeletons())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_blocks_of_any_kind(cell, skeleton, tmp_path):
    layout = dataclasses.replace(SMALL, skeleton=skeleton)
    text = check(GEMNetSpec("any", 3, (32, 32), cell, layout, 12.0), tmp_path)
    assert f"ACTIVATE = {skeleton.activates(cell)}" in text and f"SQUEEZE = {skeleton.squeeze}" in text
    assert f"DROPOUT = {skeleton.dropout}" in text and f"STOCHASTIC_DEPTH = {skeleton.stochastic_depth}" in text
    assert f"HARD_SWISH = (False, {skeleton.nonlinearity == 'hard_swish'})" in text


def written(kind):
    """Return the file of a network or detector."""
    if kind in ("retinanet", "faster_rcnn"):
        spec = detector_spec(kind=kind)
        return detector_file(spec, load_detector(spec, detector_weights(spec)))
    specs = {"gemnet": gemnet_spec, "proxy": proxy_spec}
    spec = specs[kind]() if kind in specs else PublishedSpec.for_imagenet(kind)
    classes = tuple(f"class {i}" for i in range(spec.num_classes))
    return source_of(card(spec, classes=classes), spec, build_network(spec))


@pytest.mark.parametrize("kind", ["gemnet", "proxy", "mnasnet_1_3", "darts", "retinanet", "faster_rcnn"])
def test_a_file_is_as_clean_as_our_own(kind, tmp_path):
    (tmp_path / "network.py").write_text(written(kind), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    # In our own tree the same functions are excepted by their file.
    command += ["--ignore", "PLR0913,PLR0917"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["gemnet", "proxy"])
def test_an_operation_without_readable_source_is_traced(kind, unreadable, tmp_path):
    spec = gemnet_spec("conv1x1", unreadable, "dwconv3x3", "conv1x1")
    if kind == "proxy":
        spec = dataclasses.replace(proxy_spec(), cell=spec.cell)
    text = check(spec, tmp_path)
    assert "OPERATIONS" not in text and "5, padding=2" in text


def test_a_detectors_backbone_is_traced_where_the_source_cannot_be_read(unreadable):
    assert "GEMNetMaps(" in written("retinanet")
    spec = detector_spec(unreadable, unreadable, "dwconv3x3", "conv1x1")
    text = detector_file(spec, load_detector(spec, detector_weights(spec)))
    assert "GEMNetMaps" not in text and "5, padding=2" in text
