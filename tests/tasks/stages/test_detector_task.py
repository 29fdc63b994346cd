"""A detector's training on a worker: its checkpoint is all that it leaves, and whoever reads it trains nothing."""

from dataclasses import replace

import pytest

from nasgem_core.bundled_files import PROFILES
from nasgem_core.training.checkpoint import LAST, reached
from nasgem_core.training.distributed import World
from tasks.run.parameters import load_profile
from tasks.run.placement import Placement
from tasks.stages.coco import plan_detectors, train_detector, trained_backbones
from tasks.stages.coco_data import look_through, read_data
from tasks.stages.detector_task import detector_work, train_on_worker
from tasks.stages.sent_images import OtherImagesError
from tests.detection.coco_folder import write_coco_folder
from tests.tasks.backbones import write_classifier

pytestmark = pytest.mark.slow


def test_whoever_reads_its_checkpoint_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_coco_folder(tmp_path / "pictures")
    write_classifier(tmp_path)
    config = replace(load_profile(PROFILES / "tiny.yaml").coco, dataset="pictures", detectors=("retinanet",), epochs=1)
    data = look_through(read_data(config))
    (training,) = plan_detectors(config, data, trained_backbones(), 0)
    (work,) = detector_work([training], data, "cpu")
    assert work.inputs["placement"] == Placement(images="pictures") and not work.is_finished
    content = train_on_worker.fn(**work.inputs, returned=True)["checkpoint"].tobytes()
    assert work.is_finished and content == (work.folder / LAST).read_bytes()
    assert reached(work.folder).step == work.steps
    assert train_on_worker.fn(**work.inputs, returned=False) == {"checkpoint": None}
    monkeypatch.setattr("nasgem_core.training.loop._Loop._take_step", lambda *_: pytest.fail("trained again"))
    assert 0 <= train_detector(training, data, World()).metrics["AP"] <= 1
    with pytest.raises(OtherImagesError, match="the images of pictures changed while networks were trained"):
        train_on_worker.fn(**{**work.inputs, "images_hash": "another"}, returned=False)
