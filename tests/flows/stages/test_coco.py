"""Detectors: trained once; from the command line skipped, used, killed and gone on, shared by processes, refused."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from flows.stages import coco as module
from nasgem_core.bundled_files import PROFILES
from tasks.deployment.open_network import open_network
from tasks.run.parameters import load_profile
from tasks.stages.coco import FOLDER
from tasks.stages.coco_results import HISTORY_FILE, METRICS_FILE
from tests.detection.coco_folder import write_coco_folder
from tests.flows.in_process import open_small_session, small_config
from tests.flows.workspace import Workspace
from tests.tasks.backbones import write_classifier

pytestmark = pytest.mark.slow
STAGE = ("nasgem", "stage", "coco")
NAMES = ("faster_rcnn-mobilenet_v2", "retinanet-mobilenet_v2")


@pytest.fixture
def pictures(fresh) -> Workspace:
    write_coco_folder(fresh.root / "pictures")
    write_classifier(fresh.root)
    fresh.configure("coco", dataset="pictures")
    return fresh


@pytest.mark.nightly
def test_without_data_or_backbone_the_stage_says_so_and_leaves_its_files(fresh):
    assert "skipped: coco.dataset is not set; set it to a folder of images" in fresh.succeed(*STAGE)
    assert set(fresh.hashes("coco")) == {"data/coco/history.parquet", "data/coco/curves.png"}
    assert json.loads((fresh.root / "data/metrics/coco.json").read_text())["detectors"] == {}
    write_coco_folder(fresh.root / "pictures")
    fresh.configure("coco", dataset="pictures")
    assert "skipped: stage imagenet has not trained a network" in fresh.succeed(*STAGE)


@pytest.mark.nightly
def test_the_best_detector_is_registered_and_used_and_files_come_back_with_the_same_bytes(pictures):
    text = pictures.succeed(*STAGE)
    assert all(f"{name}: AP " in text for name in NAMES)
    folder = pictures.root / "data" / "coco"
    pictures.succeed("nasgem", "detect", "pictures/val/0.png", "--model", str(folder / f"{NAMES[1]}.json"))
    assert open_network("coco@champion", pictures.root).detector.name in NAMES
    hashes = pictures.hashes("coco", "metrics", "headlines")
    shutil.rmtree(folder)
    pictures.succeed(*STAGE)
    assert pictures.hashes("coco", "metrics", "headlines") == hashes


def test_detectors_are_trained_once_and_come_back_with_the_same_bytes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_coco_folder(tmp_path / "pictures")
    write_classifier(tmp_path)
    config = replace(load_profile(PROFILES / "tiny.yaml").coco, dataset="pictures")
    session, tracking = open_small_session(monkeypatch, replace(small_config("macs"), coco=config))
    registered = []
    monkeypatch.setattr(module, "register_network", lambda root, model, candidate, data: registered.append(candidate))
    module.coco.fn()
    said = capsys.readouterr().err
    assert all(f"{name}: AP " in said for name in NAMES) and len(registered) == 2
    assert {path.name for path in FOLDER.iterdir()} == {
        *(f"{name}{end}" for name in NAMES for end in (".safetensors", ".json", "-validation.png", "-training.png")),
        "history.parquet",
        "curves.png",
    }
    history = pd.read_parquet(HISTORY_FILE)
    assert set(history["detector"]) == set(NAMES) and history["AP"].notna().sum() == 4
    summary = json.loads(METRICS_FILE.read_text())["detectors"]
    assert set(summary) == set(NAMES) and {"AP", "AP50", "train_AP50", "macs"} <= set(summary[NAMES[0]])
    runs = [record for record in tracking.records if record.kind == "training"]
    assert len({record.key for record in runs}) == len([each for each in runs if each.status == "FINISHED"]) == 2

    written = {path: path.read_bytes() for path in (*FOLDER.iterdir(), METRICS_FILE)}
    shutil.rmtree(FOLDER)
    module.coco.fn()
    assert {path: path.read_bytes() for path in (*FOLDER.iterdir(), METRICS_FILE)} == written
    session.config = replace(session.config, coco=replace(config, detectors=("retinanet",)))
    module.coco.fn()
    assert [path.stem for path in FOLDER.glob("*.safetensors")] == [NAMES[1]]


@pytest.mark.nightly
def test_killed_at_random_moments_it_comes_to_the_same_weights(pictures, tmp_path):
    pictures.configure("coco", epochs=4)
    undisturbed = pictures.copy(tmp_path / "undisturbed")
    undisturbed.succeed(*STAGE)
    pictures.kill_training("coco", tmp_path, longest=2)
    pictures.succeed(*STAGE)
    assert pictures.weights("coco") == undisturbed.weights("coco") != {}


@pytest.mark.nightly
def test_two_processes_share_each_training(pictures):
    done = pictures.run("torchrun", "--standalone", "--nproc-per-node", "2", "--no-python", *STAGE, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"{NAMES[0]}: AP ") == 1 and "Traceback" not in done.stderr
    assert set(pictures.weights("coco")) == {f"data/coco/{name}.safetensors" for name in NAMES}


@pytest.mark.nightly
def test_faults_are_named_in_one_line(pictures):
    root = pictures.root
    (root / "pictures/val/3.png").unlink()
    assert "1 of the 8 images of pictures/annotations/instances_val.json are missing" in pictures.refused(*STAGE)
    path = root / "pictures/annotations/instances_train.json"
    path.write_text(path.read_text()[:-20])
    assert "instances_train.json is truncated or not JSON" in pictures.refused(*STAGE)
    pictures.configure("coco", backbones=["gemnet"], dataset="pictures")
    pictures.configure("coco", detectors=["yolo"])
    assert "coco.detectors holds 'yolo': known are retinanet, faster_rcnn" in pictures.refused(*STAGE)
