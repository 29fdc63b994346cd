import os

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets.folder import IMG_EXTENSIONS

from nasgem_core.errors import DataError
from nasgem_core.training import image_files
from nasgem_core.training.class_folders import IMAGE_ENDINGS
from nasgem_core.training.image_files import files_digest, list_image_files
from nasgem_core.training.image_reading import UnreadableImageError
from tests.training.folders import write_images


@pytest.fixture
def folder(tmp_path):
    return write_images(tmp_path / "data")


def test_images_are_listed_class_by_class(folder):
    train, val = list_image_files(folder)
    assert train.classes == val.classes == ("blue", "green", "red")
    assert len(train) == 36 and len(val) == 15
    assert train.files[:2] == ("blue/000.png", "blue/001.png") and train.labels.tolist() == sorted([0, 1, 2] * 12)
    assert train.sizes[0] == (folder / "train" / "blue" / "000.png").stat().st_size
    assert train.read(13).size == (20, 16) and train.read(13).mode == "RGB"


def test_files_count_as_images_if_they_do_for_torchvision_or_pil_writes_and_reads_them(folder):
    assert IMAGE_ENDINGS[: len(IMG_EXTENSIONS)] == IMG_EXTENSIONS
    for ending in IMAGE_ENDINGS:
        Image.new("1" if ending == ".pbm" else "RGB", (20, 16), 1).save(folder / "val" / "red" / f"a{ending}")
    _, val = list_image_files(folder)
    added = [i for i, name in enumerate(val.files) if name.startswith("red/a")]
    assert len(added) == len(IMAGE_ENDINGS) and not val.skipped
    assert {(val.read(i).size, val.read(i).mode) for i in added} == {((20, 16), "RGB")}


def test_images_are_turned_as_the_camera_noted(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 16)).save(folder / "val" / "blue" / "000.png", exif=exif)
    assert list_image_files(folder)[1].read(0).size == (16, 20)


def test_digests_differ_by_name_size_and_content(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    digests = {files_digest(tmp_path, ["a"]), files_digest(tmp_path, ["b"])}
    for content in (b"2", b"12"):
        (tmp_path / "a").write_bytes(content)
        digests.add(files_digest(tmp_path, ["a"]))
    assert len(digests) == 4 and files_digest(tmp_path, ["a"], np.array([2])) in digests


def test_images_one_folder_deeper_are_found(folder):
    (folder / "train" / "blue" / "images").mkdir()
    (folder / "train" / "blue" / "000.png").rename(folder / "train" / "blue" / "images" / "000.png")
    assert "blue/images/000.png" in list_image_files(folder)[0].files


def test_the_digest_sees_names_and_sizes(folder):
    digest = list_image_files(folder)[0].digest
    assert list_image_files(folder)[0].digest == digest
    path = folder / "train" / "red" / "003.png"
    path.write_bytes(path.read_bytes() + b"x")
    changed = list_image_files(folder)[0].digest
    path.write_bytes(path.read_bytes()[:-1] + b"y")  # of small sets also contents
    assert list_image_files(folder)[0].digest not in (digest, changed)
    path.rename(path.with_name("x.png"))
    assert len({digest, changed, list_image_files(folder)[0].digest, list_image_files(folder)[1].digest}) == 4


def test_grey_images_are_decoded_in_colour_once_and_broken_ones_are_none(folder):
    Image.new("L", (9, 7), 5).save(folder / "val" / "blue" / "000.png")
    (folder / "val" / "blue" / "001.png").write_bytes(b"not an image")
    val = list_image_files(folder)[1]
    assert val.decoded[0].shape == (7, 9, 3) and (val.decoded[0] == 5).all() and val.decoded[1] is None
    assert val.decoded is val.decoded and len(val.decoded) == 15
    with pytest.raises(UnreadableImageError):
        val.read(1)


def test_sixteen_bits_are_scaled_and_floats_are_broken(folder):
    path = folder / "val" / "blue" / "000.png"
    Image.fromarray(np.full((7, 9), 257 * 40, dtype=np.uint16)).save(path)
    Image.fromarray(np.full((7, 9), 0.5, dtype=np.float32)).save(folder / "val" / "blue" / "001.tif")
    val = list_image_files(folder)[1]
    assert val.files[1] == "blue/001.png" and val.files[2] == "blue/001.tif"
    assert (np.asarray(val.read(0)) == 40).all()
    with pytest.raises(UnreadableImageError):
        val.read(2)


def test_links_to_nowhere_and_odd_names_are_broken_images_and_no_more(folder):
    (folder / "val" / "blue" / "zz.png").symlink_to(folder / "nowhere")
    name = os.fsdecode(b"caf\xe9.png")
    (folder / "val" / "blue" / name).write_bytes((folder / "val" / "blue" / "000.png").read_bytes())
    val = list_image_files(folder)[1]
    assert len(val.digest) == 32 and val.read(val.files.index(f"blue/{name}")).mode == "RGB"
    with pytest.raises(UnreadableImageError):
        val.read(val.files.index("blue/zz.png"))


def test_what_does_not_fit_is_not_kept_in_memory(folder, monkeypatch):
    monkeypatch.setattr(image_files, "MEMORY_BYTES", 36 * 20 * 16 * 3 - 1)
    train, val = list_image_files(folder)
    assert train.decoded is None and val.decoded is not None


def test_a_missing_folder_or_split_is_named(folder):
    with pytest.raises(DataError, match=r"nowhere is not a folder: name one with train/ and val/"):
        list_image_files(folder / "nowhere")
    (folder / "val").rename(folder / "validation")
    with pytest.raises(DataError, match=r"has no val/: it needs train/ and val/"):
        list_image_files(folder)
    (folder / "ILSVRC2012_img_val.tar").write_bytes(b"")
    with pytest.raises(DataError, match=r"Unpack ILSVRC2012_img_val\.tar with torchvision"):
        list_image_files(folder)


def test_an_empty_class_is_named(folder):
    for path in (folder / "train" / "green").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"train/green has no images: fill the folder of this class"):
        list_image_files(folder)


@pytest.mark.parametrize(("lacking", "other"), [("val", "train"), ("train", "val")])
def test_a_class_missing_in_one_split_is_named_as_half_a_copy(folder, lacking, other):
    (folder / lacking / "green").rename(folder / "green")
    message = rf"1 of 3 classes are only in {other}/, such as 'green': the copy may be incomplete"
    with pytest.raises(DataError, match=message):
        list_image_files(folder)


def test_images_outside_of_class_folders_are_named(folder):
    for path in (folder / "val").rglob("*.png"):
        path.rename(folder / "val" / f"{path.parent.name}{path.name}")
    for name in ("blue", "green", "red"):
        (folder / "val" / name).rmdir()
    with pytest.raises(DataError, match="val has 15 images but no class folders: sort them into folders"):
        list_image_files(folder)
    for path in (folder / "val").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="val is empty: fill it, with one folder of images per class"):
        list_image_files(folder)


def test_one_class_is_nothing_to_learn(tmp_path):
    write_images(tmp_path, classes=("only",))
    with pytest.raises(DataError, match="has one class, 'only', so every answer is right: give it at least two"):
        list_image_files(tmp_path)


def test_a_class_whose_name_is_not_utf_8_has_a_name_that_can_be_written(tmp_path):
    write_images(tmp_path, classes=("a", os.fsdecode(b"caf\xe9"), "\u732b"))
    train, val = list_image_files(tmp_path)
    assert train.classes == val.classes and set(train.classes) == {"a", "caf\\xe9", "\u732b"}
    assert len(train.digest) == 32 and train.read(len(train) - 1).mode == "RGB"


def test_what_is_left_out_is_one_line(folder):
    assert list_image_files(folder)[0].remark == ""
    (folder / "train" / "blue" / ".DS_Store").write_bytes(b"x")
    (folder / "train" / "blue" / "notes.txt").write_bytes(b"x")
    train, val = list_image_files(folder)
    assert val.remark == "" and train.subset(np.arange(3)).remark == train.remark
    assert train.remark == (
        f"{folder / 'train'}: 2 files are skipped: 1 hidden (first: blue/.DS_Store), "
        "1 with an ending that is not read (.txt) (first: blue/notes.txt)"
    )


def test_digests_wait_for_no_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    assert len(files_digest(tmp_path, ["pipe", "zero"])) == 32


def test_the_digest_of_usual_folders_is_that_of_earlier_versions(tmp_path):
    for split in ("train", "val"):
        for name in ("a", "\xe4"):
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "0.png").write_bytes(b"x")
    digests = [files.digest for files in list_image_files(tmp_path)]
    assert digests == ["7a059b1c24b3dc55b98fe7b9932e3364"] * 2


def test_labels_are_whole_numbers(folder):
    assert list_image_files(folder)[0].labels.dtype == np.int64
