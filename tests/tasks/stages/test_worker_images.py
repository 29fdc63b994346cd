from types import SimpleNamespace

import numpy as np
import pytest

from nasgem_core.config.search import ProxyConfig
from nasgem_core.training.image_set import ImageSet
from tasks.run.placement import Placement
from tasks.stages import worker_images as module
from tasks.stages.coco import DetectorTraining
from tasks.stages.finalist_training import FinalistTraining
from tasks.stages.imagenet import ClassifierTraining
from tasks.stages.sent_images import sent_images
from tasks.stages.worker_images import keep_packed_images, packed_images
from tasks.store.serialization import encode

IMAGES = ImageSet(*2 * (np.zeros((4, 8, 8, 3), np.uint8), np.arange(4) % 2), ("a", "b"))


def test_a_cell_needs_the_images_of_the_proxy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "open_unchanged_images", lambda *asked: IMAGES)
    keep_packed_images(packed_images({"config": ProxyConfig(), "images_hash": "h", "placement": Placement()}))
    assert sent_images(IMAGES.content_hash).content_hash == IMAGES.content_hash


@pytest.mark.parametrize("kind", [FinalistTraining, ClassifierTraining])
def test_a_network_for_the_target_needs_its_files(monkeypatch, kind):
    kept = []
    monkeypatch.setattr(module, "list_image_files", lambda folder: (str(folder), "validation"))
    monkeypatch.setattr(module, "pack_class_folders", lambda images: encode({"files": list(images)}))
    monkeypatch.setattr(module, "keep_files", kept.append)
    training = object.__new__(kind)
    keep_packed_images(packed_images({"training": training, "placement": SimpleNamespace(images="pictures")}))
    assert kept == [{"files": ["pictures", "validation"]}]


def test_a_detector_needs_annotations_and_images(monkeypatch):
    monkeypatch.setattr(module, "pack_coco", lambda config: encode({"files": [config]}))
    kept = []
    monkeypatch.setattr(module, "keep_files", kept.append)
    training = DetectorTraining(None, {}, "", "config", 0)
    keep_packed_images(packed_images({"training": training, "placement": Placement()}))
    assert kept == [{"files": ["config"]}]
