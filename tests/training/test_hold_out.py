import numpy as np
import pytest

from nasgem_core.errors import ParameterError
from nasgem_core.training.hold_out import hold_out
from nasgem_core.training.image_files import list_image_files
from tests.training.folders import write_images


def test_each_class_loses_the_same_share_and_no_image_is_in_both_parts(tmp_path):
    files, _ = list_image_files(write_images(tmp_path, train=10, val=1))
    kept, held = hold_out(files, 0.2, seed=3)
    assert np.bincount(held.labels).tolist() == [2, 2, 2] and np.bincount(kept.labels).tolist() == [8, 8, 8]
    assert not set(kept.files) & set(held.files) and {*kept.files, *held.files} == set(files.files)
    for part in (kept, held):
        assert part.classes == files.classes and len(part.sizes) == len(part)
        assert [part.classes[label] for label in part.labels] == [name.split("/")[0] for name in part.files]
    assert kept.digest != held.digest != files.digest


def test_the_seed_decides_which(tmp_path):
    files, _ = list_image_files(write_images(tmp_path, train=10, val=1))
    again, other = (hold_out(files, 0.2, seed)[1].files for seed in (3, 4))
    assert hold_out(files, 0.2, 3)[1].files == again != other


def test_a_class_keeps_an_image_and_loses_one(tmp_path):
    files, _ = list_image_files(write_images(tmp_path / "two", train=2, val=1))
    assert (
        [len(part) for part in hold_out(files, 0.01, 0)] == [len(part) for part in hold_out(files, 0.99, 0)] == [3, 3]
    )
    files, _ = list_image_files(write_images(tmp_path / "one", train=1, val=1))
    with pytest.raises(ParameterError, match=r"^tuning_share = 0.1: .*blue has one image, so none can be held out"):
        hold_out(files, 0.1, 0)
