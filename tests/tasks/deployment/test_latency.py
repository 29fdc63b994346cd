import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.deployment.folders import write_network
from nasgem_core.deployment.latency import Setting
from nasgem_core.deployment.specs import build_network
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError, ParameterError
from tasks.deployment.latency import listed_network, listed_published, measure_networks, named_apart
from tests.tasks.mlflow_registry.test_registry import CELL, SPEC, card


def exported(folder, own):
    folder.mkdir()
    write_network(folder, own.to_json(), build_network(SPEC).state_dict())
    return str(folder)


def test_the_kind_tells_whether_an_accuracy_was_measured(tmp_path):
    (tmp_path / "built.json").write_text(GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0).to_json())
    names = [
        exported(tmp_path / "trained", card(0.5)),
        exported(tmp_path / "of an earlier version", replace(card(0.5), metrics={})),
        exported(tmp_path / "fresh", replace(card(0.5), metrics={}, trained=False)),
        str(tmp_path / "built.json"),
    ]
    found = [listed_network(name, tmp_path) for name in names]
    assert [item.group for item in found] == [
        "trained networks",
        "networks of unknown accuracy",
        *["built networks"] * 2,
    ]
    assert found[0].accuracy == 0.5 and all(math.isnan(item.accuracy) for item in found[1:])
    assert listed_published("randwire_ws").accuracy == pytest.approx(0.747)


def test_networks_of_one_name_have_the_names_they_were_given(tmp_path):
    one, other = (exported(tmp_path / name, card(0.5)) for name in ("one", "other"))
    listed = [listed_network(name, tmp_path) for name in (one, other)]
    published = listed_published("mnasnet_1_3")
    again = replace(listed[0], name="mnasnet_1_3")
    assert [item.name for item in named_apart([listed[0], published])] == [card(0.5).name, "mnasnet_1_3"]
    assert [item.name for item in named_apart([*listed, published, again])] == [one, other, "mnasnet_1_3", one]
    table = measure_networks(listed, Setting(repeats=1))
    assert list(table["network"]) == [one, other] and set(table["engine"]) == {"torch"}


def test_a_detector_is_not_measured(tmp_path):
    backbone = GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0)
    spec = DetectorSpec(backbone, (Category(1, "cat"),), DetectorSettings())
    (tmp_path / "detector").mkdir()
    write_network(tmp_path / "detector", spec.to_json(), {"weight": torch.zeros(1)})
    with pytest.raises(DataError, match=r"detector is the detector .*: the latency of detectors is not measured"):
        listed_network(str(tmp_path / "detector"), tmp_path)


def test_each_engine_has_a_device(tmp_path):
    listed = [listed_network(exported(tmp_path / "one", card(0.5)), tmp_path)]
    with pytest.raises(ParameterError, match="device = 'cuda': onnxruntime is measured on the cpu only"):
        measure_networks(listed, SimpleNamespace(device="cuda"), "onnxruntime")
    with pytest.raises(ParameterError, match="device = 'cpu': cuda_graph is measured on a GPU only"):
        measure_networks(listed, Setting(), "cuda_graph")
    with pytest.raises(ParameterError, match="engine = 'abacus': choose one of torch, cuda_graph, onnxruntime"):
        measure_networks(listed, Setting(), "abacus")


@pytest.mark.slow
def test_networks_are_measured_in_onnxruntime(tmp_path):
    listed = [listed_network(exported(tmp_path / "one", card(0.5)), tmp_path)]
    (row,) = measure_networks(listed, Setting(repeats=3), "onnxruntime").to_dict("records")
    assert row["engine"] == "onnxruntime" and row["median_ms"] > 0 and row["peak_bytes"] > 4 * row["params"]
