import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.work import parse_macs
from nasgem_core.backbones.budget import DOWN, NEAREST, UP, macs_text


@given(macs=st.integers(1, 10**18))
def test_the_command_line_reads_what_is_written(macs):
    assert macs > 10**15 or parse_macs(macs_text(macs)) == macs
    low, near, high = (parse_macs(macs_text(macs, rounding)) for rounding in (DOWN, NEAREST, UP))
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
