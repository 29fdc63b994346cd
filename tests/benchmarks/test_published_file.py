import os
import zipfile

import numpy as np
import pytest

from nasgem_core.benchmarks.published_file import read_arrays, require_accuracies, require_kind
from nasgem_core.errors import DataError

WHAT = "an npz file of a benchmark"


def huge(path):
    """Write a file of some hundred bytes that says it holds 2^60 letters."""
    header = "{'descr': '<U1', 'fortran_order': False, 'shape': (1152921504606846976,), }".ljust(117) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00v\x00" + header.encode())


def test_arrays_are_read_by_name_and_by_how_names_begin(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(3), hw_1=np.ones(2), hw_2=np.zeros(2), other=np.ones(1))
    assert set(read_arrays(tmp_path / "a.npz", WHAT, ["a"], "hw_")) == {"a", "hw_1", "hw_2"}
    assert read_arrays(tmp_path / "a.npz", WHAT, ["a"])["a"].tolist() == [0, 1, 2]


def test_whatever_is_wrong_with_the_file_is_one_message(tmp_path):
    path = tmp_path / "a.npz"

    def refused(reason):
        with pytest.raises(DataError, match=rf"a\.npz is not an npz file of a benchmark: .*{reason}"):
            read_arrays(path, WHAT, ["a"])

    refused("No such file")
    os.mkfifo(path)
    refused("it is not a file")
    path.unlink()
    np.savez(path, b=np.arange(3))
    refused("a is not a file in the archive")
    whole = path.read_bytes()
    for content in (b"", b"PK\x03\x04", whole[:50], whole[:-20], b"\0" * 100):
        path.write_bytes(content)
        refused("")
    np.savez(path, a=np.array([{}], dtype=object))
    refused("allow_pickle=False")
    with path.open("wb") as file:
        np.save(file, np.arange(3))
    refused("a single array")
    huge(path)
    refused("larger than the memory|Unable to allocate|EOF|array")


@pytest.mark.parametrize("place", range(0, 240, 7))
def test_changed_bytes_end_in_one_message(tmp_path, place):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(3))
    content = path.read_bytes()
    path.write_bytes(content[:place] + b"\xff\x00\xff" + content[place + 3 :])
    try:
        assert isinstance(read_arrays(path, WHAT, ["a"])["a"], np.ndarray)
    except DataError as error:
        assert str(error).startswith(f"{path} is not an npz file of a benchmark: ")


def test_arrays_of_other_kinds_are_refused():
    require_kind("f: a", np.arange(3), "iu")
    for array in (np.array(["1"]), np.array([b"1"]), np.array([1j]), np.array(["2020-01-01"], "M8[D]")):
        with pytest.raises(DataError, match=r"f: a holds values of type .*, not whole numbers or numbers"):
            require_kind("f: a", array, "iuf")


@pytest.mark.parametrize("wrong", [-1.0, 92.0, np.nan, np.inf, 1.0001])
def test_an_accuracy_out_of_range_is_named_with_its_row(wrong):
    with pytest.raises(DataError, match=r"f: a is .*, not between 0 and 1, in row 2: correct it"):
        require_accuracies("f: a", np.array([0.5, wrong]), 1)
    require_accuracies("f: a", np.array([0.0, 1.0]), 1)


def test_fractions_in_place_of_per_cent_are_said():
    with pytest.raises(
        DataError, match=r"f: a is at most 0\.93 %: these are fractions, it seems; multiply them by 100"
    ):
        require_accuracies("f: a", np.array([0.5, 0.93]), 100)
    require_accuracies("f: a", np.array([0.5, 93.0]), 100)
