import os

import numpy as np
import pytest
from PIL import Image

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training.proxy_images import load_images


@pytest.fixture
def folder(tmp_path):
    for split in ("train", "val"):
        for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
            (tmp_path / split / name).mkdir(parents=True)
            for i, size in enumerate([(40, 20), (20, 40)]):
                Image.new("RGB", size, colour).save(tmp_path / split / name / f"{i}.png")
    return tmp_path


def load(folder, size=16, holdout=0.0):
    return load_images(ProxyConfig(dataset=str(folder), image_size=size, holdout=holdout), folder)


def test_classes_are_the_folders_and_labels_follow_them(folder):
    images = load(folder)
    assert images.classes == ("blue", "red")
    assert images.train_images.shape == (4, 16, 16, 3) and images.train_labels.tolist() == [0, 0, 1, 1]
    assert images.train_images[0, 0, 0].tolist() == [0, 0, 255] and images.train_images[2, 0, 0].tolist() == [255, 0, 0]


def test_the_short_side_is_resized_and_the_centre_kept(folder):
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 200
    Image.fromarray(pixels).save(folder / "train" / "blue" / "0.png")
    image = load(folder, size=20).train_images[0]
    assert (image == 200).all()


def test_cells_are_judged_by_training_images_and_val_is_not_read(folder):
    for i, name in enumerate(["blue", "red"]):
        for number in range(10):
            Image.new("RGB", (16, 16), (number, i, 0)).save(folder / "train" / name / f"{number}.png")
        (folder / "val" / name / "0.png").write_bytes(b"not an image")
    images = load(folder, holdout=0.2)
    assert np.bincount(images.train_labels).tolist() == [8, 8]
    assert np.bincount(images.validation_labels).tolist() == [2, 2]
    parts = images.train_images, images.validation_images
    train, held = ({tuple(image[0, 0]) for image in part} for part in parts)
    assert not train & held and len(train | held) == 20
    assert load(folder, holdout=0.2).content_hash == images.content_hash != load(folder, holdout=0.3).content_hash


def test_images_are_held_out_unless_it_is_asked_not_to(folder):
    assert ProxyConfig().holdout == 0.2
    held = load_images(ProxyConfig(dataset=str(folder), image_size=16), folder)
    assert len(held.train_labels) == len(held.validation_labels) == 2


def test_a_class_that_no_image_can_be_held_out_of_is_named(folder):
    (folder / "train" / "red" / "1.png").unlink()
    remedy = "add images, or set it to 0, and the images in val/ judge cells"
    with pytest.raises(ParameterError, match=rf"^proxy\.holdout = 0\.2: .*train/red has one image.*: {remedy}$"):
        load(folder, holdout=0.2)


def test_grey_and_transparent_images_become_colour_images(folder):
    Image.new("L", (20, 20), 9).save(folder / "train" / "blue" / "0.png")
    Image.new("RGBA", (20, 20), (1, 2, 3, 0)).save(folder / "train" / "blue" / "1.png")
    images = load(folder).train_images
    assert images[0, 0, 0].tolist() == [9, 9, 9] and images[1, 0, 0].tolist() == [1, 2, 3]


def test_a_broken_image_is_named(folder):
    (folder / "val" / "red" / "1.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"val/red/1\.png cannot be read .*: replace or remove it"):
        load(folder)


def test_a_truncated_image_is_named(folder):
    path = folder / "train" / "red" / "0.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"train/red/0\.png cannot be read"):
        load(folder)


def test_all_broken_images_are_counted_at_once(folder):
    for name in ("blue/0.png", "blue/1.png", "red/0.png"):
        (folder / "train" / name).write_bytes(b"")
    message = r"train/blue/0\.png cannot be read \(the file is empty\), nor can 2 more of 4: replace or remove them"
    with pytest.raises(DataError, match=message):
        load(folder)


def test_an_image_that_would_fill_the_memory_is_named(folder):
    Image.new("RGB", (1, 1001)).save(folder / "train" / "blue" / "0.png")
    with pytest.raises(DataError, match=r"blue/0\.png cannot be read \(its sides differ by a factor above 1000\)"):
        load(folder)


def test_what_is_left_out_is_remarked_and_changes_no_content(folder):
    plain = load(folder)
    (folder / "train" / "blue" / ".ipynb_checkpoints").mkdir()
    (folder / "train" / "blue" / ".ipynb_checkpoints" / "0.png").write_bytes(b"x")
    images = load(folder)
    assert images.content_hash == plain.content_hash and plain.remarks == ()
    assert images.remarks == (
        f"{folder / 'train'}: 1 file is skipped: 1 hidden (first: blue/.ipynb_checkpoints/0.png)",
    )


def test_a_class_whose_name_is_not_utf_8_is_searched_with(folder):
    for split in ("train", "val"):
        (folder / split / "red").rename(folder / split / os.fsdecode(b"\xe9"))
    assert load(folder).classes == ("blue", "\\xe9") and len(load(folder).content_hash) == 32


def test_classes_of_both_splits_must_match(folder):
    (folder / "val" / "green").mkdir()
    Image.new("RGB", (20, 20)).save(folder / "val" / "green" / "0.png")
    with pytest.raises(DataError, match="1 of 3 classes are only in val/, such as 'green'"):
        load(folder)


def test_an_empty_class_is_named(folder):
    (folder / "val" / "green").mkdir()
    with pytest.raises(DataError, match="green"):
        load(folder)


def test_a_missing_split_or_folder_is_named(folder):
    with pytest.raises(DataError, match="is not a folder: name cifar10_proxy, cifar10, or a folder"):
        load(folder / "nowhere")
    (folder / "val").rename(folder / "validation")
    with pytest.raises(
        DataError, match="has no val/: it needs train/ and val/, each with one folder of images per class"
    ):
        load(folder)
