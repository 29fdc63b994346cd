import pytest

from tasks.stages.imagenet_table import METRICS_FILE, classifier_tables, difference_text
from tasks.store.artifacts import write_json


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def network(top1_mean, top1_deviation):
    costs = {"macs": 18_970_000, "params": 422_000, "learning_rate": 0.012}
    return {**costs, "top1": [0.6, 0.62], "top1_mean": top1_mean, "top1_deviation": top1_deviation, "top5_mean": 0.9}


def test_a_difference_has_its_interval_where_there_is_one():
    assert difference_text({"mean": 0.025, "low": 0.01, "high": 0.04}) == "+2.5 (95 %: +1.0 to +4.0)"
    assert difference_text({"mean": -0.025, "low": None, "high": None}) == "-2.5"


def test_the_table_has_each_network_and_how_far_the_first_one_is_ahead(here):
    networks = {"gemnet": network(0.61, 0.014), "mobilenet_v2": network(0.585, None)}
    differences = {"mobilenet_v2": {"mean": 0.025, "low": 0.01, "high": 0.04}}
    write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": networks, "differences": differences})
    (table,) = classifier_tables()
    assert table.header[-1] == "gemnet less it, in points of top-1"
    assert table.rows == [
        ["gemnet", "18.97", "0.422", "0.012", 2, "61.0 +- 1.4", "90.0", None],
        ["mobilenet_v2", "18.97", "0.422", "0.012", 2, "58.5", "90.0", "+2.5 (95 %: +1.0 to +4.0)"],
    ]


def test_without_trained_networks_there_is_no_table(here):
    assert classifier_tables() == []
    write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": {}, "differences": {}})
    assert classifier_tables() == []
