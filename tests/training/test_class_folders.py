"""What counts as an image of a class, whatever else is in the folder."""

import os
import socket

import pytest

from nasgem_core.errors import DataError
from nasgem_core.training.class_folders import ClassFolders


@pytest.fixture
def split(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "train" / name).mkdir(parents=True)
        (tmp_path / "train" / name / "0.png").write_bytes(b"0")
    return tmp_path / "train"


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"1")


def listed(split):
    """Return the images of each class relative to the split, and how many files were left out for each reason."""
    folders = ClassFolders(split)
    images = {name: [os.path.relpath(path, split) for path in folders.images(name)] for name in folders.names}
    return images, {item.reason: item.count for item in folders.skipped()}


PLAIN = {"a": ["a/0.png"], "b": ["b/0.png"]}


@pytest.mark.parametrize("place", ["a/.0.png", "a/._0.png", "a/.ipynb_checkpoints/0.png", "a/x/.y/z/0.png", ".x/0.png"])
def test_hidden_files_and_folders_are_left_out_at_every_depth(split, place):
    put(split / place)
    assert listed(split) == (PLAIN, {"hidden": 1})


def test_a_hidden_link_is_one_entry_wherever_it_leads(split):
    (split / "a" / ".cache").symlink_to("/")
    (split / "__MACOSX").symlink_to("/")
    assert listed(split) == (PLAIN, {"of the system": 1, "hidden": 1})


@pytest.mark.parametrize("folder", ["__MACOSX", "a/__MACOSX", "a/@eaDir", "b/x/$RECYCLE.BIN", "lost+found"])
def test_what_systems_add_is_left_out_at_every_depth(split, folder):
    put(split / folder / "0.png")
    put(split / "a" / "Thumbs.db")
    assert listed(split) == (PLAIN, {"of the system": 2})


def test_the_usual_endings_are_read_in_any_case_and_others_are_named(split):
    names = ["1.JPEG", "2.tif", "3.TIFF", "4.webp", "5.BMP", "6.Pgm", "7.jfif"]
    for name in (*names, "8.heic", "8.mp4", "9"):
        put(split / "a" / name)
    images, skipped = listed(split)
    assert images["a"] == ["a/0.png", *(f"a/{name}" for name in names)]
    assert skipped == {"with an ending that is not read (.heic, .mp4, no ending)": 3}


def test_a_class_of_files_that_are_not_read_says_so(split):
    (split / "a" / "0.png").rename(split / "a" / "0.heic")
    message = r"train/a has no images; it has 1 files that are not read \(\.heic\): save them as JPEG or PNG, fill"
    with pytest.raises(DataError, match=message):
        listed(split)


def test_linked_folders_are_followed_once(split, tmp_path):
    put(tmp_path / "store" / "1.png")
    (split / "a" / "more").symlink_to(tmp_path / "store")
    (split / "a" / "again").symlink_to(tmp_path / "store")
    (split / "c").symlink_to(tmp_path / "store")
    images, skipped = listed(split)
    assert images == {"a": ["a/0.png", "a/again/1.png"], "b": ["b/0.png"], "c": ["c/1.png"]}
    assert skipped == {"in linked folders that were read already": 1}


@pytest.mark.parametrize("target", [".", "..", "../..", "loop"])
def test_links_in_a_circle_end(split, target):
    (split / "a" / "loop").symlink_to(target)
    assert listed(split)[0] == PLAIN


def test_pipes_sockets_devices_and_links_to_them_are_no_images(split, monkeypatch):
    os.mkfifo(split / "a" / "pipe.png")
    (split / "a" / "null.png").symlink_to("/dev/null")
    (split / "a" / "linked.png").symlink_to(split / "a" / "pipe.png")
    monkeypatch.chdir(split / "a")  # the path of a socket may have some hundred letters at most
    with socket.socket(socket.AF_UNIX) as own:
        own.bind("socket.png")
    assert listed(split) == (PLAIN, {"not a regular file": 4})


def test_a_link_to_nowhere_stays_an_image_that_is_broken(split):
    (split / "a" / "1.png").symlink_to("nowhere")
    (split / "a" / "2.png").symlink_to("2.png")
    assert listed(split)[0]["a"] == ["a/0.png", "a/1.png", "a/2.png"]


def test_loose_files_are_counted(split):
    put(split / "0.png")
    put(split / "README")
    assert listed(split) == (PLAIN, {"outside of class folders": 2}) and ClassFolders(split).loose == 1


def test_a_path_that_is_too_long_is_named(split):
    folder = split / "a"
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(20):  # 20 folders of 250 letters: longer than a path may be
        os.mkdir("x" * 250, dir_fd=descriptor)
        inner = os.open("x" * 250, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    with pytest.raises(DataError, match="cannot be read: File name too long"):
        listed(split)
