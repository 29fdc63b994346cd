import pytest

from nasgem_core.errors import DataError
from tasks.stages.class_names import class_names

CLASSES = ("n01", "n02", "n03", "n04")


def test_without_a_file_classes_have_the_names_of_their_folders(tmp_path):
    assert class_names(tmp_path, CLASSES) == CLASSES


def test_a_file_gives_their_names(tmp_path):
    (tmp_path / "classes.txt").write_text("n02\tcrane\nn01  brown bear, bruin \nn03 crane\nn05 cat\n\nn04\n")
    assert class_names(tmp_path, CLASSES) == ("brown bear, bruin", "crane (n02)", "crane (n03)", "n04")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_ends_of_lines_of_windows_are_no_part_of_names(tmp_path, end, mark):
    text = end.join(["", "n01 brown bear", "", "n02  \u732b", "n02 \u732b", ""])
    (tmp_path / "classes.txt").write_bytes(mark + text.encode())
    assert class_names(tmp_path, CLASSES) == ("brown bear", "\u732b", "n03", "n04")


def test_two_names_of_a_folder_are_named(tmp_path):
    (tmp_path / "classes.txt").write_text("n01 bear\nn01 wolf\n")
    with pytest.raises(DataError, match=r"classes\.txt names n01 twice, 'bear' and 'wolf': remove one line"):
        class_names(tmp_path, CLASSES)


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "classes.txt").write_bytes(b"n01 \xff\xfe")
    with pytest.raises(DataError, match=r"classes\.txt is not a text in UTF-8: save it as such"):
        class_names(tmp_path, CLASSES)
