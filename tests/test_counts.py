import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.counts import DOWN, NEAREST, UP, count_text, read_count
from tests.backbones.budgets import read_macs


@given(macs=st.integers(1, 10**18))
def test_what_is_written_is_read_again(macs):
    assert read_macs(count_text(macs)) == macs
    assert read_count(count_text(macs)) == pytest.approx(macs, rel=1e-15)
    low, near, high = (read_macs(count_text(macs, rounding)) for rounding in (DOWN, NEAREST, UP))
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
    assert count_text(macs, rounding) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [("10M", 10_000_000), ("800k", 800_000), ("1.5G", 1_500_000_000), (" 2 m", 2_000_000), ("7", 7), ("0.5K", 500)],
)
def test_counts_are_read(text, count):
    assert read_count(text) == count


@pytest.mark.parametrize("text", ["", "M", "-1M", "0", "0.4", "10T", "ten", "1e6", "10 M B", "nan", "inf", "9" * 500])
def test_other_texts_are_no_counts(text):
    assert read_count(text) is None
