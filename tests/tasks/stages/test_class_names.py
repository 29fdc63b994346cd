import pytest

from nasgem_core.errors import DataError
from tasks.stages.class_names import class_names

CLASSES = ("n01", "n02", "n03", "n04")


def test_without_a_file_classes_have_the_names_of_their_folders(tmp_path):
    assert class_names(tmp_path, CLASSES) == CLASSES


def test_a_file_gives_their_names(tmp_path):
    (tmp_path / "classes.txt").write_text("n02\tcrane\nn01  brown bear, bruin \nn03 crane\nn05 cat\n\nn04\n")
    assert class_names(tmp_path, CLASSES) == ("brown bear, bruin", "crane (n02)", "crane (n03)", "n04")


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "classes.txt").write_bytes(b"n01 \xff\xfe")
    with pytest.raises(DataError, match=r"classes\.txt is not a text in UTF-8: save it as such"):
        class_names(tmp_path, CLASSES)
