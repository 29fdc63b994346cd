import pytest

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import ParameterError
from nasgem_core.networks.layout import NetworkLayout


def test_proxy_layout_halves_the_resolution_and_widens_each_stage():
    layout = NetworkLayout.from_proxy(ProxyConfig(width=16, stages=(1, 2, 4), stem_stride=1), 32)
    assert layout.widths == (16, 32, 64)
    assert layout.resolutions == (32, 16, 8)


@pytest.mark.parametrize(
    ("image_size", "stride", "expected"), [(17, 1, (17, 8, 4)), (33, 2, (17, 8, 4)), (9, 4, (3, 1))]
)
def test_odd_pixels_are_dropped_by_pools_and_kept_by_the_stem(image_size, stride, expected):
    assert NetworkLayout(4, (1,) * len(expected), stride, image_size).resolutions == expected


def test_image_too_small_for_the_halvings_names_the_fields():
    with pytest.raises(
        ParameterError, match=r"image_size = 8 is too small for stem_stride = 4 and stages = \[1, 2, 4\]"
    ):
        NetworkLayout(4, (1, 2, 4), 4, 8)


@pytest.mark.parametrize(
    ("values", "message"),
    [((0, (1,), 1, 8), "width = 0"), ((4, (), 1, 8), r"stages = \[\]"), ((4, (1, 0), 1, 8), r"stages = \[1, 0\]")],
)
def test_impossible_values_are_named(values, message):
    with pytest.raises(ParameterError, match=message):
        NetworkLayout(*values)
