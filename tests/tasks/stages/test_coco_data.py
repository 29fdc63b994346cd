from dataclasses import replace

import pytest

from nasgem_core.config.transfer import CocoConfig
from nasgem_core.errors import DataError
from tasks.stages.coco_data import first_images, look_through, read_data
from tests.detection.coco_folder import write_coco_folder

CONFIG = CocoConfig(dataset="pictures", train="train", validation="val", measured_train=3)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Make a folder with a data set."""
    monkeypatch.chdir(tmp_path)
    write_coco_folder(tmp_path / "pictures")
    return tmp_path


def test_what_is_measured_has_a_prefix(workplace):
    data = read_data(CONFIG)
    assert set(data.measured) == {"", "train_"} and len(data.measured["train_"].annotations) == 3
    assert data.measured[""].folder.name == "val" and data.train.folder.name == "train"
    assert set(read_data(replace(CONFIG, measured_train=0)).measured) == {""}


def test_the_first_images_are_taken_as_far_as_there_are_any(workplace):
    whole = read_data(CONFIG).measured[""]
    assert first_images(whole, 2).annotations.file_names == whole.annotations.file_names[:2]
    assert len(first_images(whole, 100).annotations) == len(whole.annotations) == 8


def test_broken_images_are_reported_before_a_training_begins(workplace):
    data = read_data(CONFIG)
    first = data.measured["train_"].annotations.file_names[0]
    (workplace / "pictures" / "train" / first).write_bytes(b"no picture")
    looked = look_through(data)
    assert looked.measured["train_"].annotations.file_names == data.measured["train_"].annotations.file_names[1:]
    assert len(looked.measured[""].annotations) == 8
    (workplace / "pictures" / "val" / "3.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"val/3\.png cannot be read as an image"):
        look_through(data)


def test_faults_of_the_data_set_are_named(workplace):
    with pytest.raises(
        DataError, match=r"coco.dataset = 'nowhere' is not a folder: name one with images in train/ and val/ and"
    ):
        read_data(replace(CONFIG, dataset="nowhere"))
    with pytest.raises(DataError, match=r"the annotations pictures/annotations/instances_train2017.json do not exist"):
        read_data(replace(CONFIG, train="train2017"))
    (workplace / "pictures" / "val" / "3.png").unlink()
    with pytest.raises(DataError, match=r"1 of the 8 images .* \(first: 3.png\): the copy is incomplete"):
        read_data(CONFIG)
