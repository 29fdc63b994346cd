import numpy as np
import pytest

from nasgem_core.cells.codes import code_table, encode_operations

NAMES = ("conv1x1", "dwconv3x3")


def test_codes_follow_padding_and_the_input():
    assert code_table(NAMES) == {"input": 1, "conv1x1": 2, "dwconv3x3": 3}


def test_operations_are_encoded_by_their_place_in_the_list():
    codes = encode_operations(("input", "dwconv3x3", "conv1x1", "dwconv3x3"), NAMES)
    assert codes.dtype == np.uint8 and codes.tolist() == [1, 3, 2, 3]


def test_an_operation_that_is_not_listed_is_refused():
    with pytest.raises(KeyError, match="conv3x3"):
        encode_operations(("input", "conv3x3"), NAMES)
