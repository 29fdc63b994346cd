"""What `nasgem compare` asks for, and the table that it prints."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from flows import comparison
from flows.cli import run_compare as module
from flows.cli.run_compare import Asked, run_compare
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, ParameterError
from tests.tasks.classifiers import CELL

ASKED = Asked(["cell.json"], "mobilenet_v2, mobilenet_v3_small", Path("data/comparison"), macs="20M")
ROW = {"macs": 19e6, "params": 4e5, "bytes": 1.6e6, "learning_rate": 0.01, "top1": [0.6], "top1_mean": 0.6}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Run in a folder with a cell and default parameters; give what was asked of the comparison."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cell.json").write_text(CELL.to_json())
    (tmp_path / "photos").mkdir()
    calls = []

    def compare(wanted, config):
        calls.append((wanted, config))
        return {"gemnet": {**ROW, "top5_mean": 0.9}}, {}

    monkeypatch.setattr(comparison, "compare_by_workers", compare)
    monkeypatch.setattr(module, "prefect_server", lambda: nullcontext(lambda: None))
    monkeypatch.setattr(module, "prepare_environment", lambda: None)
    monkeypatch.setattr(module, "folder_lock", nullcontext)
    own = replace(SearchConfig(), proxy=replace(SearchConfig().proxy, dataset="photos"))
    monkeypatch.setattr(module, "load_config", lambda: own)
    return calls


def test_the_images_of_the_search_and_the_parameters_are_the_defaults(asked, capsys):
    run_compare(ASKED)
    ((wanted, config),) = asked
    assert wanted.cells == {CELL.canonical_key[:8]: CELL} and wanted.rivals == ["mobilenet_v2", "mobilenet_v3_small"]
    assert (wanted.limit.macs, wanted.limit.nanoseconds, wanted.seeds) == (20_000_000, 0, 3)
    assert config.imagenet.dataset == "photos" and config.imagenet.image_size == 64
    printed = capsys.readouterr().out
    assert "Networks trained on your images, at most 20M" in printed and "gemnet" in printed and "19.00" in printed


def test_a_latency_and_other_images_can_be_asked_for(asked):
    others = {"images": "others", "image_size": 96, "seeds": 5, "rivals": "", "weights": ["app"]}
    run_compare(replace(ASKED, macs="", latency="1.5ms", **others))
    ((wanted, config),) = asked
    assert (wanted.limit.nanoseconds, wanted.limit.macs, wanted.seeds, wanted.rivals) == (1_500_000, 0, 5, [])
    assert (config.imagenet.dataset, config.imagenet.image_size) == ("others", 96)
    assert config.imagenet.weights == ("app",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latency": "2ms"}, "give one limit: --macs such as 20M, or --latency such as 2ms"),
        ({"macs": ""}, "give one limit"),
        ({"macs": "20T"}, "--macs '20T': must be a number such as 20M"),
        ({"macs": "", "latency": "2"}, "--latency '2': must be as 2ms"),
        ({"output": Path("data/imagenet/x")}, "is kept for the stages; name another folder"),
    ],
)
def test_wrong_options_are_refused(asked, change, message):
    with pytest.raises((ParameterError, DataError), match=message):
        run_compare(replace(ASKED, **change))
    assert not asked


def test_without_images_their_folder_is_asked_for(asked, monkeypatch):
    monkeypatch.setattr(module, "load_config", SearchConfig)
    with pytest.raises(ParameterError, match="no images to train on: name their folder by --images"):
        run_compare(ASKED)
