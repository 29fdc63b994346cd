from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasgem_core.errors import DataError
from nasgem_core.training.image_files import list_image_files
from tasks.stages import sent_folder as module
from tasks.stages.sent_folder import digests_of, keep_files, pack_class_folders, unchanged_images
from tasks.stages.sent_images import FOLDER, OtherImagesError
from tasks.store.serialization import decode


@pytest.fixture(params=["split", "whole"])
def folder(request, tmp_path, monkeypatch):
    """Two classes of images, in train/ and val/ or in a folder that is split."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "pictures"
    for split in ("train", "val") if request.param == "split" else ("",):
        for label in ("cat", "dog"):
            (root / split / label).mkdir(parents=True)
            for number in range(6):
                pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / label / f"{number}.png")
    return root


def test_the_files_of_both_splits_arrive_with_their_digest(folder):
    images = list_image_files(folder)
    wanted = digests_of(images)
    with pytest.raises(OtherImagesError, match=r"^elsewhere is not a folder"):
        unchanged_images("elsewhere", wanted)
    for _ in range(2):
        keep_files(decode(pack_class_folders(images)))
    for digest in (wanted, images[0].digest):
        assert digests_of(unchanged_images("elsewhere", digest)) == wanted
    assert [path.name for path in FOLDER.iterdir()] == [wanted], "nothing else is left"


def test_the_images_of_the_search_come_first_and_damaged_ones_are_sent_again(folder):
    images = list_image_files(folder)
    assert unchanged_images(str(folder), images[0].digest)[0].folder == images[0].folder
    keep_files(decode(pack_class_folders(images)))
    next(FOLDER.rglob("*.png")).write_bytes(b"another")
    with pytest.raises(OtherImagesError, match=r"^elsewhere is not a folder"):
        unchanged_images("elsewhere", digests_of(images))
    assert not list(FOLDER.iterdir())


def test_what_is_not_as_it_says_is_refused(folder):
    images = list_image_files(folder)
    whole = decode(pack_class_folders(images))
    for change in (
        *({"names": [name, *whole["names"][1:]]} for name in ("train/../../x.png", "../x.png", "/x.png", "")),
        {"digest": "../x"},
        {"digest": ""},
    ):
        with pytest.raises(DataError, match="would be outside of its folder"):
            keep_files({**whole, **change})
    assert not list(Path(".").rglob("x.png")) and not FOLDER.exists()
    keep_files({**whole, "digest": "0" * 32})
    with pytest.raises(OtherImagesError):
        unchanged_images("elsewhere", "0" * 32)
    assert not list(FOLDER.iterdir())


def test_too_many_images_are_not_sent(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"GiB, which is too much to send to workers: copy them to the same path"):
        pack_class_folders(list_image_files(folder))
