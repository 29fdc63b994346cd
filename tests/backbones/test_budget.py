import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.backbones.budget import DOWN, NEAREST, UP, macs_text
from tests.backbones.budgets import read_macs


@given(macs=st.integers(1, 10**18))
def test_what_is_written_is_read_again(macs):
    assert read_macs(macs_text(macs)) == macs
    low, near, high = (read_macs(macs_text(macs, rounding)) for rounding in (DOWN, NEAREST, UP))
    assert low <= macs <= high and low <= near <= high
    assert high - low <= macs / 1000


@pytest.mark.parametrize(
    ("macs", "rounding", "text"),
    [
        (0, None, "0"),
        (463, UP, "463"),
        (1000, None, "1k"),
        (463_000_000, None, "463M"),
        (97_531_111, None, "97.531111M"),
        (10_350_080, UP, "10.36M"),
        (844_563_973_120, DOWN, "844.5G"),
        (31_038_894_000_000, DOWN, "31030G"),
        (999_960_000, UP, "1G"),
    ],
)
def test_numbers_have_the_largest_unit_that_they_fill(macs, rounding, text):
    assert macs_text(macs, rounding) == text
