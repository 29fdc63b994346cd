"""What the files of stage `imagenet` hold."""

import numpy as np
import pytest

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.stages.imagenet import FOLDER, plan_classifiers, train_classifier
from tasks.stages.imagenet_results import HISTORY_FILE, differences_of, history_of, summary_of, write_classifiers
from tasks.stages.imagenet_table import METRICS_FILE
from tasks.store.artifacts import read_json, read_table, read_weights
from tests.tasks.classifiers import SMALL
from tests.training.folders import write_images


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_files_hold_what_was_trained(here):
    images = list_image_files(write_images(here / "pictures", train=8, val=3))
    trainings = plan_classifiers(SMALL, 3, 0)
    found = [train_classifier(training, images, World()) for training in trainings]
    assert not np.array_equal(found[0].weights["classifier.weight"], found[1].weights["classifier.weight"])
    again = train_classifier(trainings[0], images, World())
    assert again.card == found[0].card and again.history == found[0].history
    summary, history = summary_of(found, {"mobilenet_v2": (8_310_000, 100_000)}), history_of(found)
    write_classifiers(found, summary, history, b"picture")
    arrays, metadata = read_weights(FOLDER / "mobilenet_v2-0.safetensors", NETWORK_SCHEMA)
    card = NetworkCard.from_json((FOLDER / "mobilenet_v2-0.json").read_text())
    assert metadata[NETWORK] == card.to_dict() and card.metrics == found[0].card.metrics
    assert np.array_equal(arrays["classifier.weight"], found[0].weights["classifier.weight"])
    table = read_table(HISTORY_FILE, "nasgem.history/1")
    assert table["top1"].notna().sum() == 4 and table["seed"].tolist() == sorted(table["seed"])
    entry = read_json(METRICS_FILE, "nasgem.metrics/1")["networks"]["mobilenet_v2"]
    top1 = [each.card.metrics["top1"] for each in found]
    assert entry["top1"] == top1 and entry["top1_mean"] == pytest.approx(np.mean(top1))
    assert entry["top1_deviation"] == pytest.approx(np.std(top1, ddof=1))
    differences = read_json(METRICS_FILE, "nasgem.metrics/1")["differences"]
    assert differences == {}
    write_classifiers(found[:1], summary, history, b"picture")
    assert not (FOLDER / "mobilenet_v2-1.json").exists() and (FOLDER / "mobilenet_v2-0.json").exists()


def test_nothing_trained_is_no_row(here):
    assert len(history_of([])) == 0 and summary_of([], {}) == {}


def test_differences_are_those_of_the_first_network_to_each_other_one():
    summary = {"gemnet": {"top1": [0.6, 0.62]}, "a": {"top1": [0.58, 0.59]}, "b": {"top1": [0.61, 0.64]}}
    found = differences_of(summary)
    assert list(found) == ["a", "b"] and found["a"]["mean"] == pytest.approx(0.025)
    assert found["a"]["low"] < 0.025 < found["a"]["high"]
    assert differences_of({}) == {}


def test_at_several_budgets_networks_are_compared_with_the_first_of_their_own():
    at = {"budget": "10M"}
    summary = {"gemnet": {"top1": [0.6]}, "a": {"top1": [0.5]}}
    summary |= {"gemnet_10M": {"top1": [0.4], **at}, "a_10M": {"top1": [0.2], **at}}
    found = differences_of(summary)
    assert {name: row["mean"] for name, row in found.items()} == pytest.approx({"a": 0.1, "a_10M": 0.2})
