"""Files of a comparison, and the sizes that it keeps."""

import json

import pandas as pd

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.training.classification import MEAN, STD
from tasks.stages.comparison_files import read_sizes, write_comparison, write_sizes
from tasks.stages.imagenet import ClassifierTraining, TrainedClassifier
from tests.tasks.classifiers import SMALL
from tests.tasks.stages.test_initial_weights import SPEC


def trained():
    card = NetworkCard("mobilenet_v2-0", SPEC.to_dict(), ("a", "b", "c"), 64, 1.0, MEAN, STD, {"top1": 0.5})
    weights = {name: value.detach() for name, value in SPEC.build().state_dict().items()}
    return TrainedClassifier(ClassifierTraining(SPEC, 0, SMALL, 0, 0.1), card, weights, (), ())


def test_figures_are_written_as_json_and_as_one_line_each(tmp_path):
    row = {"macs": 5_000_000, "params": 100_000, "top1": [0.5, 0.25], "tried": [], "latency_ms": 1.5}
    difference = {"mean": -0.1, "low": None, "high": None, "values": [-0.1]}
    files = write_comparison(tmp_path, [trained()], {"first": row, "other": row}, {"other": difference})
    assert [path.name for path in files] == ["comparison.json", "comparison.csv", "comparison.png"]
    document = json.loads(files[0].read_text())
    assert document["networks"]["first"] == row and document["differences"]["other"] == difference
    table = pd.read_csv(files[1])
    assert table["network"].tolist() == ["first", "other"] and table["top1"].tolist() == ["0.5 0.25"] * 2
    assert "tried" not in table and table["first_less_it_mean"].tolist()[1] == -0.1
    assert {path.name for path in tmp_path.glob("mobilenet_v2-0.*")} == {
        "mobilenet_v2-0.json",
        "mobilenet_v2-0.safetensors",
    }


def test_sizes_come_back_and_a_damaged_file_has_none(tmp_path):
    assert read_sizes(tmp_path) == {}
    write_sizes(tmp_path, {"mobilenet_v2-0123": 5_000_000})
    assert read_sizes(tmp_path) == {"mobilenet_v2-0123": 5_000_000}
    (tmp_path / "sizes.json").write_text("{")
    assert read_sizes(tmp_path) == {}
