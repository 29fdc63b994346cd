"""Classifiers: trained once, and from the command line skipped, registered, killed and gone on, shared, refused."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.runtime.session import Session
from flows.stages import imagenet as module
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.deployment.open_network import open_network
from tasks.stages.imagenet import FOLDER
from tasks.stages.imagenet_results import HISTORY_FILE
from tasks.stages.imagenet_table import METRICS_FILE
from tasks.store.artifacts import read_weights
from tests.flows.in_process import open_small_session, small_config
from tests.flows.workspace import Workspace
from tests.tasks.classifiers import SMALL
from tests.tasks.stores import FakeTracking
from tests.training.folders import write_images

pytestmark = pytest.mark.slow
STAGE = ("nasgem", "stage", "imagenet")


@dataclass(frozen=True)
class InProcess:
    """A session of this process, and what it logged and would have registered."""

    session: Session
    tracking: FakeTracking
    registered: list[Any]


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


@pytest.mark.nightly
def test_the_best_network_is_registered_and_files_come_back_with_the_same_bytes(pictures):
    pictures.configure("imagenet", learning_rates=[0.05, 0.1], tuning_epochs=1, tuning_share=0.2)
    text = pictures.succeed(*STAGE)
    assert "mobilenet_v2: top-1" in text and "M MACs" in text
    assert "mobilenet_v2: learning rate 0." in text and "by rate: 0.05: " in text
    assert open_network("imagenet@champion", pictures.root).classifier.name.startswith("mobilenet_v2-")
    hashes = pictures.hashes("imagenet", "metrics", "headlines")
    shutil.rmtree(pictures.root / "data" / "imagenet")
    pictures.succeed(*STAGE)
    assert pictures.hashes("imagenet", "metrics", "headlines") == hashes


@pytest.fixture
def in_process(tmp_path, monkeypatch) -> InProcess:
    """Run the stage in this process, on a few images, without MLflow's registry."""
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "pictures", train=8, val=3)
    config = replace(SMALL, dataset="pictures", image_size=32, macs=(3_000_000,), latency_passes=0)
    config = replace(config, learning_rates=(0.05, 0.1), tuning_epochs=1, tuning_share=0.2)
    session, tracking = open_small_session(monkeypatch, replace(small_config("macs"), imagenet=config))
    registered = []
    monkeypatch.setattr(module, "register_network", lambda root, model, candidate, data: registered.append(candidate))
    return InProcess(session, tracking, registered)


def test_networks_are_trained_once_and_come_back_with_the_same_bytes(in_process, capsys):
    module.imagenet.fn()
    said = capsys.readouterr().err
    assert "mobilenet_v2: top-1" in said and "M MACs" in said
    assert "mobilenet_v2: learning rate 0." in said and "by rate: 0.05: " in said
    history = pd.read_parquet(HISTORY_FILE)
    assert set(zip(history["network"], history["seed"], strict=True)) == {("mobilenet_v2", 0), ("mobilenet_v2", 1)}
    assert history["top1"].notna().sum() == 4 and history["loss"].notna().any()
    card = NetworkCard.from_json((FOLDER / "mobilenet_v2-1.json").read_text())
    arrays, metadata = read_weights(FOLDER / "mobilenet_v2-1.safetensors", NETWORK_SCHEMA)
    assert metadata[NETWORK] == card.to_dict() and card.classes == ("blue", "green", "red")
    assert NetworkSpec.from_dict(card.network).build().state_dict().keys() == arrays.keys()
    summary = json.loads(METRICS_FILE.read_text())["networks"]["mobilenet_v2"]
    assert [row["learning_rate"] for row in summary["tried"]] == [0.05, 0.1]
    assert summary["learning_rate"] in (0.05, 0.1)
    assert len(summary["top1"]) == 2 and summary["top1"][1] == card.metrics["top1"]
    top1 = json.loads(Path("data/headlines/imagenet.json").read_text())["top1"]
    assert top1 == {"mobilenet_v2": summary["top1_mean"]}
    assert len(in_process.registered) == 2
    runs = [record for record in in_process.tracking.records if record.kind == "training"]
    assert {record.status for record in runs} == {"FINISHED"} and len({record.key for record in runs}) == 4

    written = {path: path.read_bytes() for path in (*FOLDER.iterdir(), METRICS_FILE)}
    shutil.rmtree(FOLDER)
    module.imagenet.fn()
    assert {path: path.read_bytes() for path in (*FOLDER.iterdir(), METRICS_FILE)} == written
    config = in_process.session.config
    in_process.session.config = replace(config, imagenet=replace(config.imagenet, seeds=1))
    module.imagenet.fn()
    assert [path.name for path in FOLDER.glob("*.safetensors")] == ["mobilenet_v2-0.safetensors"]


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


@pytest.mark.nightly
def test_workers_of_this_machine_and_of_a_cluster_come_to_the_same_networks(pictures, tmp_path):
    pictures.configure("imagenet", learning_rates=[0.05, 0.1], tuning_epochs=1, tuning_share=0.2)
    cluster = pictures.copy(tmp_path / "cluster")
    found = []
    for place, options in ((pictures, ()), (cluster, ("--engine", "dask"))):
        said = place.succeed(*STAGE, "--workers", "2", *options)
        assert said.count("  2 networks are trained side by side") == 2, "those that try rates, then the others"
        networks = place.hashes("imagenet").items()
        found.append({path: digest for path, digest in networks if path.endswith((".json", ".safetensors"))})
    assert found[0] == found[1] and len(found[0]) == 4
