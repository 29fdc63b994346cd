import json

import torch

from nasgem_core.deployment.detectors import load_detector
from nasgem_core.training.distributed import World
from tasks.deployment.open_network import open_network
from tasks.stages.coco import FOLDER, plan_detectors, train_detector, trained_backbones
from tasks.stages.coco_data import read_data
from tasks.stages.coco_results import METRICS_FILE, history_of, summary_of, write_detectors
from tests.tasks.detectors import CONFIG, write_workplace


def test_a_training_leaves_files_that_rebuild_the_detector(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_workplace(tmp_path)
    data = read_data(CONFIG)
    trained = [
        train_detector(training, data, World()) for training in plan_detectors(CONFIG, data, trained_backbones(), 0)
    ]
    summary, history = summary_of(trained), history_of(trained)
    assert summary["retinanet-mobilenet_v2"]["backbone"] == "mobilenet_v2-1"
    assert set(history["detector"]) == set(summary) and history["loss"].notna().sum() > 2
    FOLDER.mkdir(parents=True)
    (FOLDER / "old.safetensors").write_bytes(b"")
    write_detectors(trained, summary, {"boxes of zero size": 2}, history, {"curves.png": b"picture"})
    assert {path.name for path in FOLDER.iterdir()} == {
        *(f"{kind}-mobilenet_v2{end}" for kind in CONFIG.detectors for end in (".safetensors", ".json")),
        "history.parquet",
        "curves.png",
    }
    network = open_network(str(FOLDER / "faster_rcnn-mobilenet_v2.json"), tmp_path)
    detector = load_detector(network.detector, network.weights)
    assert all(
        torch.equal(value, torch.from_numpy(trained[1].weights[name])) for name, value in detector.state_dict().items()
    )
    document = json.loads(METRICS_FILE.read_text())
    assert document["skipped"] == {"boxes of zero size": 2} and set(document["detectors"]) == set(summary)
