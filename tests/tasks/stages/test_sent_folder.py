from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasgem_core.errors import DataError
from nasgem_core.training.image_files import list_image_files
from tasks.stages import sent_folder as module
from tasks.stages.sent_folder import FOLDER, keep_folder, pack_folder, sent_folder
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
    assert sent_folder(images[0].digest) is None
    for _ in range(2):
        keep_folder(decode(pack_folder(images)))
    found = list_image_files(sent_folder(images[0].digest))
    assert [part.digest for part in found] == [part.digest for part in images]
    assert [path.name for path in FOLDER.iterdir()] == [images[0].digest], "nothing else is left"


def test_what_is_not_as_it_says_is_refused(folder):
    images = list_image_files(folder)
    whole = decode(pack_folder(images))
    with pytest.raises(DataError, match="are others than their digest says"):
        keep_folder({**whole, "digest": "0" * 32})
    for name in ("train/../../x.png", "elsewhere/x.png", "/x.png", ""):
        with pytest.raises(DataError, match="would be outside of its folder"):
            keep_folder({**whole, "names": [name, *whole["names"][1:]]})
    assert not list(Path(".").rglob("x.png")) and not list(FOLDER.iterdir())


def test_too_many_images_are_not_sent(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"GiB, which is too much to send to workers: copy them to the same path"):
        pack_folder(list_image_files(folder))
