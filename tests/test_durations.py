import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.counts import DOWN, UP
from nasgem_core.durations import duration_text, read_duration


@given(st.integers(1, 10**12))
def test_what_is_written_is_read(nanoseconds):
    assert read_duration(duration_text(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("text", "nanoseconds"), [("2ms", 2_000_000), ("0.625 ms", 625_000), ("800us", 800_000), (" 1.5s ", 1_500_000_000)]
)
def test_units_are_read(text, nanoseconds):
    assert read_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "2", "2 m", "-2ms", "0ms", "ms", "2M", "0.0000001us"])
def test_what_is_no_duration_is_none(text):
    assert read_duration(text) is None


def test_rounding_keeps_four_digits():
    assert (duration_text(1_234_567, UP), duration_text(1_234_567, DOWN)) == ("1.235 ms", "1.234 ms")
    assert (duration_text(0), duration_text(12_345_678.4, DOWN)) == ("0 ms", "12.34 ms")
