"""Folders without train/ and val/: split once, the same share of each class, and for good."""

import json
import os

import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.training.folder_split import record_of
from nasgem_core.training.image_files import list_image_files
from tests.training.folders import write_images


@pytest.fixture
def folder(tmp_path):
    """20, 10 and 2 images of three classes."""
    written = write_images(tmp_path / "written", train=20, val=1)
    for name, kept in (("green", 10), ("red", 2)):
        for path in sorted((written / "train" / name).iterdir())[kept:]:
            path.unlink()
    return (written / "train").rename(tmp_path / "photos")


def test_each_class_gives_a_fifth_to_validation_and_the_split_is_said(folder):
    train, validation = list_image_files(folder)
    assert train.classes == validation.classes == ("blue", "green", "red")
    assert [np.bincount(files.labels).tolist() for files in (train, validation)] == [[16, 8, 1], [4, 2, 1]]
    assert not set(train.files) & set(validation.files) and validation.read(0).size == (20, 16)
    assert train.remark == (
        f"{folder} has no train/ and val/: 25 images are for training and 7, a fifth of each class, for validation; "
        "photos.split.json records which"
    )
    assert validation.remark == "" and sorted(path.name for path in folder.iterdir()) == ["blue", "green", "red"]
    record = json.loads(record_of(folder).read_text())
    assert (tuple(record["train"]), tuple(record["validation"])) == (train.files, validation.files)


def test_the_split_stays_when_images_come_and_go_and_is_the_same_without_a_record(folder):
    first = list_image_files(folder)
    record_of(folder).unlink()
    assert [files.digest for files in list_image_files(folder)] == [files.digest for files in first]
    content = (folder / "blue" / "000.png").read_bytes()
    for number in range(20):
        (folder / "green" / f"0{number}_new.png").write_bytes(content)
    (folder / first[1].files[0]).unlink()
    later = list_image_files(folder)
    assert {*first[0].files} <= {*later[0].files} and {*first[1].files[1:]} <= {*later[1].files}
    assert np.bincount(later[1].labels).tolist() == [3, 6, 1], "a training image of blue is never moved"


def test_a_place_that_cannot_be_written_to_is_reported_and_the_split_is_the_same(folder, monkeypatch):
    expected = [files.files for files in list_image_files(folder)]
    record_of(folder).unlink()

    def refuse(path):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("nasgem_core.training.folder_split.written_whole", refuse)
    found = list_image_files(folder)
    assert [files.files for files in found] == expected and "(Read-only file system): new images may" in found[0].remark


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "red" / "000.png").unlink(), "red has one image: a class needs images to train on"),
        (lambda folder: (folder / "red").rename(folder / "Validation"), "'Validation', not a class: call its"),
        (lambda folder: record_of(folder).write_text("{}"), r"photos\.split\.json: not a split: field 'schema' must"),
        (lambda folder: record_of(folder).write_text("{"), "remove it to have the images split again"),
    ],
)
def test_what_cannot_be_split_is_named(folder, change, message):
    change(folder)
    with pytest.raises(DataError, match=message):
        list_image_files(folder)


def test_an_image_in_both_parts_of_a_record_is_named(folder):
    list_image_files(folder)
    record = json.loads(record_of(folder).read_text())
    record["train"].append(record["validation"][0])
    record_of(folder).write_text(json.dumps(record))
    with pytest.raises(DataError, match="in both parts: remove it from one"):
        list_image_files(folder)


def test_names_of_any_bytes_are_recorded(folder):
    (folder / "red" / os.fsdecode(b"caf\xe9.png")).write_bytes((folder / "red" / "000.png").read_bytes())
    list_image_files(folder)
    assert "red/caf\\xe9.png" in record_of(folder).read_text().replace("\\\\", "\\")
    assert len(list_image_files(folder)[0]) == 26
