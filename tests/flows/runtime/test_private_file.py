import os

import pytest

from flows.runtime.private_file import make_private_file, read_private


def test_a_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "folder" / "file"
    before = os.umask(0)
    try:
        make_private_file(path, lambda: "first\n")
    finally:
        os.umask(before)
    make_private_file(path, lambda: pytest.fail("it is there"))
    assert read_private(path) == "first\n" and path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_another_process_that_is_faster_wins(tmp_path):
    path = tmp_path / "file"

    def content():
        path.write_text("theirs")
        return "ours"

    make_private_file(path, content)
    assert path.read_text() == "theirs" and [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_file_that_others_can_use_is_refused(tmp_path, mode):
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    with pytest.raises(ValueError, match=r"^is not a file that its owner alone can read and write$"):
        read_private(path)


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, message in (("missing", "cannot be read"), ("link", "cannot be read"), ("pipe", "is not a file")):
        with pytest.raises(ValueError, match=message):
            read_private(tmp_path / name)
