import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nasgem_core.config.transfer import CocoConfig
from tasks.stages.coco_data import read_data
from tasks.stages.sent_coco import data_digest, pack_coco, unchanged_data
from tasks.stages.sent_folder import keep_files
from tasks.stages.sent_images import FOLDER, OtherImagesError
from tasks.store.serialization import decode
from tests.detection.coco_folder import write_coco_folder


@pytest.fixture
def config(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return CocoConfig(dataset=str(write_coco_folder(tmp_path / "pictures")), train="train", validation="val")


def test_annotations_and_images_arrive_and_are_the_same_data(config):
    wanted = data_digest(read_data(config))
    assert data_digest(unchanged_data(config, config.dataset, wanted)) == wanted
    with pytest.raises(OtherImagesError, match="'elsewhere' is not a folder"):
        unchanged_data(config, "elsewhere", wanted)
    keep_files(decode(pack_coco(config)))
    found = unchanged_data(config, "elsewhere", wanted)
    assert data_digest(found) == wanted and found.train.folder == FOLDER / wanted / "train"


def test_other_boxes_are_other_data(config):
    wanted = data_digest(read_data(config))
    path = Path(config.dataset) / "annotations" / "instances_train.json"
    document = json.loads(path.read_text())
    document["annotations"][0]["bbox"][2] -= 1
    path.write_text(json.dumps(document))
    with pytest.raises(OtherImagesError, match="changed while networks were trained"):
        unchanged_data(config, config.dataset, wanted)


def test_an_image_that_is_missing_is_missing_there_too(config, monkeypatch):
    monkeypatch.setattr("nasgem_core.detection.training_boxes.TOLERATED", 0.2)
    own = Path(config.dataset)
    shutil.copytree(own / "train", own / "more")
    shutil.copy(own / "annotations/instances_train.json", own / "annotations/instances_more.json")
    wider = replace(config, train="more")
    names = decode(pack_coco(wider))["names"]
    next(own.glob("more/*")).unlink()
    assert len(decode(pack_coco(wider))["names"]) == len(names) - 1
