"""Classifiers from the command line: skipped, trained, killed and gone on, shared by processes, refused."""

import json
import shutil

import pandas as pd
import pytest

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.deployment.open_network import open_network
from tasks.store.artifacts import read_weights
from tests.flows.workspace import Workspace
from tests.training.folders import write_images

pytestmark = pytest.mark.slow
STAGE = ("nasgem", "stage", "imagenet")


@pytest.fixture
def pictures(fresh) -> Workspace:
    write_images(fresh.root / "pictures", train=8, val=3)
    fresh.configure("imagenet", dataset="pictures")
    return fresh


@pytest.mark.nightly
def test_without_images_the_stage_says_so_and_leaves_its_files(fresh):
    text = fresh.succeed(*STAGE)
    assert "skipped: imagenet.dataset is not set; set it to a folder of images" in text
    assert set(fresh.hashes("imagenet")) == {"data/imagenet/history.parquet", "data/imagenet/curves.png"}
    assert json.loads((fresh.root / "data/metrics/imagenet.json").read_text())["networks"] == {}


def test_networks_are_trained_once_and_come_back_with_the_same_bytes(pictures):
    pictures.configure("imagenet", learning_rates=[0.05, 0.1], tuning_epochs=1, tuning_share=0.2)
    text = pictures.succeed(*STAGE)
    assert "mobilenet_v2: top-1" in text and "M MACs" in text
    assert "mobilenet_v2: learning rate 0." in text and "by rate: 0.05: " in text
    folder = pictures.root / "data" / "imagenet"
    history = pd.read_parquet(folder / "history.parquet")
    assert set(zip(history["network"], history["seed"], strict=True)) == {("mobilenet_v2", 0), ("mobilenet_v2", 1)}
    assert history["top1"].notna().sum() == 4 and history["loss"].notna().any()
    card = NetworkCard.from_json((folder / "mobilenet_v2-1.json").read_text())
    arrays, metadata = read_weights(folder / "mobilenet_v2-1.safetensors", NETWORK_SCHEMA)
    assert metadata[NETWORK] == card.to_dict() and card.classes == ("blue", "green", "red")
    assert NetworkSpec.from_dict(card.network).build().state_dict().keys() == arrays.keys()
    summary = json.loads((pictures.root / "data/metrics/imagenet.json").read_text())["networks"]["mobilenet_v2"]
    assert [row["learning_rate"] for row in summary["tried"]] == [0.05, 0.1]
    assert summary["learning_rate"] in (0.05, 0.1)
    assert len(summary["top1"]) == 2 and summary["top1"][1] == card.metrics["top1"]
    assert open_network("imagenet@champion", pictures.root).classifier.name.startswith("mobilenet_v2-")
    hashes = pictures.hashes("imagenet", "metrics")
    shutil.rmtree(folder)
    pictures.succeed(*STAGE)
    assert pictures.hashes("imagenet", "metrics") == hashes
    pictures.configure("imagenet", seeds=1)
    pictures.succeed(*STAGE)
    assert set(pictures.weights("imagenet")) == {"data/imagenet/mobilenet_v2-0.safetensors"}


@pytest.mark.nightly
def test_killed_at_random_moments_it_comes_to_the_same_weights(pictures, tmp_path):
    pictures.configure("imagenet", seeds=1, epochs=4)
    undisturbed = pictures.copy(tmp_path / "undisturbed")
    undisturbed.succeed(*STAGE)
    pictures.kill_training("imagenet", tmp_path, longest=0.4)
    pictures.succeed(*STAGE)
    assert pictures.weights("imagenet") == undisturbed.weights("imagenet") != {}


@pytest.mark.nightly
def test_two_processes_share_each_training(pictures):
    done = pictures.run("torchrun", "--standalone", "--nproc-per-node", "2", "--no-python", *STAGE, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("mobilenet_v2: top-1") == 1 and "Traceback" not in done.stderr
    assert set(pictures.weights("imagenet")) == {f"data/imagenet/mobilenet_v2-{seed}.safetensors" for seed in range(2)}


@pytest.mark.nightly
def test_what_is_missing_is_named_in_one_line(pictures):
    pictures.configure("imagenet", networks=["gemnet"])
    assert "data/gemnet holds no network: run `nasgem stage gemnet`" in pictures.refused(*STAGE)
    shutil.rmtree(pictures.root / "pictures" / "val" / "green")
    assert "1 of 3 classes are only in train/, such as 'green'" in pictures.refused("nasgem", "search")
    assert not (pictures.root / "data" / "pairs").exists(), "a search says so before it begins"
