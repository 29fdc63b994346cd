"""The commands at the end of a search name the chosen cell and what this search was for."""

from dataclasses import replace

import pytest

from flows.cli.next_steps import next_steps, print_next_steps
from nasgem_core.config.score import ScoreConfig
from nasgem_core.config.search import BootstrapConfig, SearchConfig
from nasgem_core.config.transfer import GemnetConfig, ImagenetConfig
from tasks.stages.imagenet_table import METRICS_FILE
from tasks.store.artifacts import write_json

OWN = SearchConfig(
    score=ScoreConfig(budget="20M"),
    gemnet=GemnetConfig(layout="tiny", image_size=64),
    imagenet=ImagenetConfig(dataset="images", macs=(0,)),
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_search_at_a_budget_is_continued_at_it():
    assert next_steps("0a4d0b0a", OWN) == {
        "build": "nasgem build 0a4d0b0a --macs 20M --layout tiny --image-size 64 --output network.json",
        "train": "nasgem stage imagenet",
        "export": "nasgem export data/imagenet/gemnet_a-0.safetensors --output exported",
        "try": "nasgem predict photo.jpg --model exported",
        "compare": "nasgem compare 0a4d0b0a --macs 20M",
        "check": "nasgem search --set bootstrap.baseline=true  # also trains as many random cells",
    }
    compared = replace(OWN, bootstrap=BootstrapConfig(baseline=True))
    assert "check" not in next_steps("0a4d0b0a", compared)


def test_a_search_without_images_to_train_on_asks_for_a_folder(tmp_path):
    assert next_steps("0a4d0b0a", SearchConfig())["train"] == "nasgem stage imagenet --set imagenet.dataset=FOLDER"
    assert " --macs 463M --layout imagenet --image-size 224 " in next_steps("0a4d0b0a", SearchConfig())["build"]
    assert next_steps("0a4d0b0a", SearchConfig())["compare"].endswith(" --macs 18.97M --images FOLDER")
    (tmp_path / "photos").mkdir()
    own = replace(SearchConfig(), proxy=replace(SearchConfig().proxy, dataset="photos"))
    assert next_steps("0a4d0b0a", own)["train"].endswith("--set imagenet.dataset=photos")


def test_a_network_that_would_not_be_trained_is_added():
    without = replace(OWN, imagenet=replace(OWN.imagenet, networks=("mobilenet_v2", "darts")))
    step = next_steps("0a4d0b0a", without)["train"]
    assert step == "nasgem stage imagenet --set imagenet.networks=[gemnet,mobilenet_v2,darts]"


def test_the_first_gemnet_that_was_trained_is_exported(capsys):
    write_json(
        METRICS_FILE, "nasgem.metrics/1", {"networks": {"mobilenet_v2": {}, "gemnet_30M": {}}, "differences": {}}
    )
    print_next_steps("0a4d0b0a", OWN)
    printed = capsys.readouterr().out
    assert "Next, with the chosen cell 0a4d0b0a:" in printed
    assert "export   nasgem export data/imagenet/gemnet_30M-0.safetensors --output exported" in printed
    assert "  build" not in printed and "  train" not in printed, "both is done"
