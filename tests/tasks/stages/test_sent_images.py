import numpy as np
import pytest

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError
from nasgem_core.training.image_set import ImageSet
from tasks.run.placement import Placement
from tasks.stages.proxy_images import open_unchanged_images
from tasks.stages.sent_images import FOLDER, OtherImagesError, keep_images, pack_images, sent_images, was_sent
from tasks.store.serialization import decode

IMAGES = ImageSet(*2 * (np.arange(4 * 192, dtype=np.uint8).reshape(4, 8, 8, 3), np.arange(4) % 2), ("a", "b"))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_images_that_were_sent_take_the_place_of_missing_ones(folder):
    asked = (ProxyConfig(dataset=str(folder / "missing")), IMAGES.content_hash, Placement())
    with pytest.raises(OtherImagesError, match="missing"):
        open_unchanged_images(*asked)
    keep_images(decode(pack_images(IMAGES)))
    found = open_unchanged_images(*asked)
    assert found.content_hash == IMAGES.content_hash and found.classes == ("a", "b")


def test_altered_images_are_refused(folder):
    packed = bytearray(pack_images(IMAGES))
    keep_images(decode(bytes(packed)))
    path = FOLDER / IMAGES.content_hash
    packed[-1] ^= 1
    path.write_bytes(packed)
    with pytest.raises(DataError, match=rf"^{path}: the record is truncated or altered"):
        sent_images(IMAGES.content_hash)
    path.rename(FOLDER / "another")
    keep_images(decode(pack_images(IMAGES)))
    (FOLDER / IMAGES.content_hash).rename(FOLDER / "another")
    with pytest.raises(DataError, match="another holds other images than its name says"):
        sent_images("another")
    assert not was_sent(IMAGES.content_hash)


def test_something_else_is_not_taken_for_images():
    with pytest.raises(DataError, match=r"^they are not packed images"):
        keep_images({"train_images": 3})
