"""Networks built, trained and compared in one go, on a few images."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from flows import comparison as module
from flows.comparison import Wanted
from flows.runtime.engines.processes import ProcessPool
from flows.stages.side_trainings import Workers
from nasgem_core.config.search import SearchConfig
from nasgem_core.deployment.opening import open_network
from nasgem_core.errors import ParameterError
from nasgem_core.training.loop import train
from tasks.stages import classifier
from tasks.stages.contenders import Limit
from tests.tasks.classifiers import CELL, SMALL
from tests.training.folders import write_images


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Give parameters for 36 images, with made-up latencies; work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "measured_latencies", lambda specs, _: {key: {"latency_ms": 0.5} for key in specs})
    images = write_images(tmp_path / "pictures", train=8, val=3)
    return SearchConfig(imagenet=replace(SMALL, dataset=str(images), epochs=1, image_size=32))


def compare(asked, config):
    return module.compare(asked, config, Workers(ProcessPool(1), "cpu"))


def wanted(tmp_path, limit):
    return Wanted({CELL.canonical_key[:8]: CELL}, ["mobilenet_v2"], limit, 1, tmp_path / "out")


def test_all_are_trained_measured_and_written_and_a_second_time_read(config, tmp_path, monkeypatch):
    asked = wanted(tmp_path, Limit(macs=3_000_000))
    summary, differences = compare(asked, config)
    key = CELL.canonical_key[:8]
    assert list(summary) == [key, "mobilenet_v2"] and list(differences) == ["mobilenet_v2"]
    for row in summary.values():
        assert 0.98 * 3e6 <= row["macs"] <= 3e6 and row["latency_ms"] == 0.5 and "better_than_guessing" in row
    written = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert written["networks"][key]["top1"] == summary[key]["top1"]
    table = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert list(table["network"]) == list(summary) and table["first_less_it_mean"].isna().tolist() == [True, False]
    assert (tmp_path / "out" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert (
        open_network(tmp_path / "out" / f"{key}-0.safetensors").description.metrics["top1"] == summary[key]["top1"][0]
    )

    def steps_of(task, recipe, folder, **options):
        assert folder.exists(), "the training was done before"
        return train(task, recipe, folder, **options)

    monkeypatch.setattr(classifier, "train", steps_of)
    assert compare(asked, config) == (summary, differences)


def test_sizes_that_met_a_latency_are_kept(config, tmp_path, monkeypatch):
    measured = []

    def latency(specs, _):
        measured.extend(specs)
        return {name: {"latency_ms": 1.0} for name in specs}

    monkeypatch.setattr(module, "measured_latencies", latency)
    asked = replace(wanted(tmp_path, Limit(nanoseconds=1_010_000)), rivals=[])
    first = compare(asked, config)[0]
    searched = len(measured)
    assert compare(asked, config)[0] == first and len(measured) == searched + 1, "only the table's own"


def test_what_each_network_begins_with_is_said_and_weights_of_none_are_refused(config, tmp_path, capsys):
    asked = wanted(tmp_path, Limit(macs=3_000_000))
    compare(asked, config)
    trained = str(tmp_path / "out" / "mobilenet_v2-0.safetensors")
    capsys.readouterr()
    again = replace(config, imagenet=replace(config.imagenet, weights=(trained,)))
    compare(replace(asked, output=tmp_path / "again"), again)
    said = capsys.readouterr().err
    assert f"  {CELL.canonical_key[:8]} begins with random weights" in said and "  mobilenet_v2 begins with " in said
    with pytest.raises(ParameterError, match="fits none of"):
        compare(replace(asked, rivals=[]), again)


def test_nothing_to_compare_is_refused(config, tmp_path):
    with pytest.raises(ParameterError, match="nothing to compare: name cells"):
        compare(replace(wanted(tmp_path, Limit(macs=10**6)), cells={}, rivals=[]), config)


def test_the_engine_runs_it_in_a_flow_and_is_closed(config, tmp_path, monkeypatch):
    done = []

    class Engine:
        def run(self, flow):
            done.append(flow.name)
            flow.fn()

        def close(self):
            done.append("closed")

    monkeypatch.setattr(module, "open_engine", lambda workers: Engine())
    monkeypatch.setattr(module, "compare", lambda wanted, config, workers: ({wanted: workers.device}, {}))
    assert module.compare_by_workers("asked", config) == ({"asked": "cpu"}, {}) and done == ["compare", "closed"]
