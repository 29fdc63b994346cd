"""The commands that hand a network to its user, run as a user does."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from flows.cli.run_networks import _nothing_shown
from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.folders import write_network
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.deployment.specs import build_network
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec, for_detection
from nasgem_core.networks.layout import NetworkLayout

pytestmark = pytest.mark.slow

CELL = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "conv1x1", "dwconv3x3"))


@pytest.fixture
def folder(fresh):
    """Give a repository with a trained network, a detector, a cell and a picture."""
    spec = ProxySpec(CELL, NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=8), 3)
    moments = {"mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2)}
    card = NetworkCard("small", spec.to_dict(), ("cat", "dog", "cow"), 8, 1.0, **moments, metrics={"top1": 0.5})
    backbone = for_detection(GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0))
    settings = DetectorSettings(short_side=64, long_side=64, pyramid_channels=8)
    detector = DetectorSpec(backbone, (Category(1, "cat"),), settings)
    for name, document, network in (("net", card, build_network(spec)), ("detector", detector, detector.build())):
        (fresh.root / name).mkdir()
        write_network(fresh.root / name, document.to_json(), network.state_dict())
    for name in ("cell.json", "again.json"):
        (fresh.root / name).write_text(CELL.to_json())
    (fresh.root / "built.json").write_text(backbone.to_json())
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(
        fresh.root / "photo.png"
    )
    return fresh


def test_a_network_is_exported_and_predicts(folder):
    shown = folder.succeed("nasgem", "export", "net", "--output", "out", "--format", "python")
    assert "in a process without nasgem" in shown and "weights.safetensors" in shown
    assert sorted(path.name for path in (folder.root / "out").iterdir()) == [
        "network.json",
        "network.py",
        "weights.safetensors",
    ]
    shown = folder.succeed("nasgem", "predict", "photo.png", "--model", "out", "--top", "2")
    lines = [line.split() for line in shown.strip().splitlines()]
    assert lines[1] == ["class", "probability"] and len(lines) == 4
    assert {lines[2][0], lines[3][0]} < {"cat", "dog", "cow"} and float(lines[2][1]) >= float(lines[3][1])


def test_a_network_with_fresh_weights_says_so(folder):
    folder.succeed("nasgem", "export", "built.json", "--output", "out", "--format", "python")
    assert "was never trained" in folder.succeed("nasgem", "predict", "photo.png", "--model", "out")


def test_objects_are_found_and_drawn(folder):
    with Image.open(folder.root / "photo.png") as picture:
        picture.resize((600, 400)).save(folder.root / "photo.png")
    shown = folder.succeed("nasgem", "detect", "photo.png", "--model", "detector", "--threshold", "0")
    assert "drawn detections.png\n" in shown
    lines = [line.split() for line in shown.splitlines()]
    places = [[int(side) for side in line[2:]] for line in lines if len(line) == 6 and line[0] == "cat"]
    with Image.open(folder.root / "detections.png") as after, Image.open(folder.root / "photo.png") as before:
        assert after.size == (600, 400)
        changed = (np.asarray(after) != np.asarray(before.convert("RGB"))).any(axis=2)
    assert places
    for left, top, right, bottom in np.minimum(places, (599, 399, 599, 399)):  # they are printed rounded
        assert changed[max(0, top - 1) : top + 2, (left + right) // 2].any()
        assert changed[(top + bottom) // 2, max(0, left - 1) : left + 2].any()
    shown = folder.succeed("nasgem", "detect", "photo.png", "--model", "detector", "--output", "none.jpg")
    assert "no score is as high as 0.05; show more with a lower --threshold" in shown
    with Image.open(folder.root / "none.jpg") as picture:
        assert (picture.size, picture.format) == ((600, 400), "JPEG")


def test_the_highest_score_is_said_where_no_object_is_shown():
    assert _nothing_shown(["cat", "dog"], [0.4567, 0.1], 0.05) == (
        "the highest score is 0.457 (cat); show more with a lower --threshold"
    )


@pytest.mark.nightly
def test_a_detector_is_exported_and_detects(folder):
    shown = folder.succeed("nasgem", "export", "detector", "--output", "out", "--format", "python")
    words = [line.split() for line in shown.splitlines() if line.startswith("python")]
    differences = {output: float(difference) for _, output, difference, _ in words}
    assert set(differences) == {"boxes", "scores"} and max(differences.values()) < 1e-6
    assert (folder.root / "out" / "network.py").is_file() and "Not written" not in shown
    shown = folder.succeed("nasgem", "detect", "photo.png", "--model", "out", "--threshold", "0")
    assert "drawn detections.png" in shown


@pytest.mark.nightly
def test_networks_are_measured_side_by_side(folder):
    names = ("cell.json", "net", "mobilenet_v2_1_4", "built.json", "again.json")
    shown = folder.succeed("nasgem", "latency", *names, "--device", "cpu", "--repeats", "2")
    assert "1 image per pass, 1 thread" in shown and "latency.parquet" in shown
    table = pd.read_parquet(folder.root / "data" / "latency" / "latency.parquet")
    assert list(table["group"]) == [
        "proxy networks",
        "trained networks",
        "published, ImageNet as reported",
        "built networks",
    ]
    assert table["key"][0] == CELL.canonical_key and table["accuracy"][1] == 0.5
    assert (table["median_ms"] > 0).all() and (table["peak_bytes"] > 4 * table["params"]).all()
    assert table["median_ms"].idxmax() == 2
    for name in ("latency.csv", "latency.png"):
        assert (folder.root / "data" / "latency" / name).stat().st_size > 100


@pytest.mark.nightly
def test_what_is_wrong_is_said_in_one_line(folder):
    Image.new("RGB", (620, 20)).save(folder.root / "thin.png")
    for command, message in {
        ("predict", "photo.jpg", "--model", "net"): "photo.jpg is no file",
        ("detect", "photo.png", "--model", "net"): "use `nasgem predict` with it",
        ("detect", "thin.png", "--model", "detector"): "thin.png: the picture has 620 x 20 pixels: crop it",
        ("detect", "photo.png", "--model", "detector", "--output", "a.svg"): "picture a.svg: the name must end in .png",
        ("predict", "photo.png"): "no registered model is called 'imagenet': there is none yet",
        ("export", "best", "--output", "out"): "model 'best' is not there: name a folder that `nasgem export` wrote",
        ("latency", "milenas"): "published network 'milenas': its repository has more than forty cells",
        ("latency", "detector"): "the latency of detectors is not measured",
        ("latency", "net", "--output", "data"): "output = data: that folder is kept for the stages",
        ("latency", "net", "--output", "data/pairs/x"): "output = data/pairs/x: data/pairs is kept for the stages",
        ("latency", "net", "--device", "meta"): "device = 'meta' is not there",
        (
            "export",
            "net",
            "--output",
            "net",
            "--format",
            "jax",
        ): "format = 'jax': choose one of all, onnx, python, torch, int8",
    }.items():
        assert message in folder.refused("nasgem", *command)
    assert not (folder.root / "data" / "latency").exists()
    document = json.loads((folder.root / "net" / "network.json").read_text())
    assert document["name"] == "small"
