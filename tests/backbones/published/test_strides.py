import pytest

from nasgem_core.backbones.published.strides import early_strides, last_of_each, suitable_stride
from nasgem_core.errors import ParameterError


def test_fewer_halvings_leave_out_the_first_ones():
    assert [early_strides(stride) for stride in (32, 16, 8)] == [(2, 2), (1, 2), (1, 1)]
    with pytest.raises(ParameterError, match=r"stride = 4: choose one of 32, 16, 8"):
        early_strides(4)


@pytest.mark.parametrize(
    ("size", "stride"),
    [((224, 224), 32), ((128, 500), 32), ((64, 64), 16), ((127, 127), 16), ((32, 32), 8), ((8, 8), 8)],
)
def test_the_last_map_of_a_small_image_keeps_four_pixels(size, stride):
    assert suitable_stride(size) == stride


def test_one_map_of_each_stride():
    assert last_of_each((2, 4, 8, 16, 32)) == (0, 1, 2, 3, 4)
    assert last_of_each((1, 1, 2, 4, 8)) == (1, 2, 3, 4)
