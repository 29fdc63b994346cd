import pytest

from tasks.stages.imagenet_table import (
    METRICS_FILE,
    compared_networks,
    comparison,
    cost_text,
    difference_text,
    networks_table,
)
from tasks.store.artifacts import write_json


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def network(top1, **more):
    costs = {"macs": 18_970_000, "params": 422_000, "bytes": 1_700_000, "learning_rate": 0.012}
    return {**costs, "top1": top1, "top1_mean": 0.0, "top5_mean": 0.9, **more}


def test_a_difference_has_its_interval_where_there_is_one():
    assert difference_text({"mean": 0.025, "low": 0.01, "high": 0.04}) == "+2.5 (95 %: +1.0 to +4.0)"
    assert difference_text({"mean": -0.025, "low": None, "high": None}) == "-2.5"


def test_the_table_has_each_network_and_how_far_the_first_one_is_ahead(here):
    timed = network([0.6, 0.62], latency_ms=2.512, torch_latency_ms=3.1)
    networks = {"gemnet": timed, "mobilenet_v2": network([0.585])}
    differences = {"mobilenet_v2": {"mean": 0.025, "low": 0.01, "high": 0.04}}
    write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": networks, "differences": differences})
    table, picture = comparison()
    assert table.header[7] == "gemnet less it, in points of top-1"
    size, untimed = ["18.97", "0.422"], [None, None]
    assert table.rows == [
        ["gemnet", "61.0 +- 12.7", *size, "2.51", "3.1", "1.70", None, "MACs, params, latency", "90.0", 2, "0.012"],
        ["mobilenet_v2", "58.5", *size, *untimed, "1.70", "+2.5 (95 %: +1.0 to +4.0)", "dominated", "90.0", 1, "0.012"],
    ]
    assert picture.alternative.endswith("ONNX Runtime, one CPU thread")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ""),
        ({"latency_ms": 2.51}, "  2.51 ms"),
        ({"latency_ms": 2.51, "torch_latency_ms": 3.1}, "  2.51 ms (3.1 in PyTorch)"),
    ],
)
def test_costs_have_the_latencies_that_were_measured(more, words):
    assert cost_text(network([0.6], **more)) == f"18.97M MACs  0.422M params{words}"


def test_without_latencies_the_picture_has_the_other_costs(here):
    networks = {"gemnet": network([0.6, 0.62])}
    write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": networks, "differences": {}})
    assert comparison()[1].alternative.endswith("multiply-adds (millions); parameters (millions)")


def test_networks_at_several_budgets_are_on_one_front(here):
    small = {"macs": 5_000_000, "budget": "5M"}
    networks = {"gemnet": network([0.6]), "mobilenet_v2": network([0.5])}
    networks |= {"gemnet_5M": {**network([0.55]), **small}, "mobilenet_v2_5M": {**network([0.3]), **small}}
    differences = {name: {"mean": 0.1, "low": None, "high": None} for name in ("mobilenet_v2", "mobilenet_v2_5M")}
    table = networks_table(networks, differences)
    assert table.header[5] == "gemnet, gemnet_5M (of its budget) less it, in points of top-1"
    assert [row[6] for row in table.rows] == ["MACs, params", "dominated", "MACs", "dominated"]
    compared = compared_networks(networks)
    assert [each.kind for each in compared] == ["gemnet", "mobilenet_v2"] * 2


def test_without_trained_networks_there_is_nothing(here):
    assert comparison() == []
    write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": {}, "differences": {}})
    assert comparison() == []
