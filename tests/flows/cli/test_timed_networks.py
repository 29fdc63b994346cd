"""Which networks `nasgem latency --macs` measures, and that a search can use the table."""

from dataclasses import replace

import pytest

from flows.cli import run_networks, timed_networks
from flows.cli.run_networks import Measurement, run_latency
from flows.cli.timed_networks import sized_networks
from nasgem_core.backbones.counting import count_costs
from nasgem_core.cells.known_blocks import MOBILENET_V2_4
from nasgem_core.config.score import ScoreConfig
from nasgem_core.config.search import SearchConfig
from nasgem_core.config.transfer import GemnetConfig
from nasgem_core.errors import DataError, ParameterError
from tasks.stages.networks import search_networks
from tests.flows.in_process import IMAGES

CONFIG = SearchConfig(gemnet=GemnetConfig(layout="tiny", skeleton="mobile", image_size=32))


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(timed_networks, "load_config", lambda: CONFIG)
    monkeypatch.setattr(timed_networks, "open_images", lambda *_: IMAGES)
    (tmp_path / "mine.json").write_text(MOBILENET_V2_4.cell.to_json())


def test_cells_blocks_and_rivals_have_the_size():
    listed = sized_networks(["mobilenet_v2", "block_mobilenet_v2_4", "mine.json"], 0, 10_000_000)
    assert [item.name for item in listed] == ["mobilenet_v2", "block_mobilenet_v2_4", "mine"]
    assert {(item.spec.num_classes, item.spec.image_size) for item in listed} == {(len(IMAGES.classes), (32, 32))}
    costs = [count_costs(item.spec.build(), (32, 32)).macs for item in listed]
    assert costs == pytest.approx([10_000_000] * 3, rel=0.01)
    assert replace(listed[1].spec, name="mine") == listed[2].spec


def test_what_has_no_size_is_refused():
    with pytest.raises(DataError, match="--macs sizes networks: name some, such as mobilenet_v2 or best, or sample"):
        sized_networks([], 0, 10_000_000)
    with pytest.raises(ParameterError, match=r"macs = 10 cannot be met"):
        sized_networks(["mine.json"], 0, 10)


def test_the_table_predicts_latencies_for_a_search(monkeypatch, tmp_path):
    monkeypatch.setattr(run_networks, "prepare_environment", lambda **_: None)
    run_latency([], 4, Measurement("cpu", 1, 1, 1), tmp_path / "measured", macs="3M")
    score = ScoreConfig(objective="latency", budget="20ms", latency_table="measured/latency.parquet")
    networks = search_networks(replace(CONFIG, score=score), IMAGES)
    assert networks.budget.words == "20 ms latency" and any(networks.budget.latency.times)
