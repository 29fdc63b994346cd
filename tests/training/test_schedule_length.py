import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.training.schedule_length import SMALLEST_BATCH, ScheduleLength

LENGTH = ScheduleLength(25, 64)


def test_a_length_with_enough_steps_is_kept():
    assert LENGTH.reaching(2000, 10_000, smaller_batches=1) == LENGTH
    assert LENGTH.reaching(0, 100, smaller_batches=1) == LENGTH


@pytest.mark.parametrize(
    ("images", "expected"),
    [(480, ScheduleLength(134, 32)), (4_000, ScheduleLength(25, 32)), (40, ScheduleLength(2000, 40))],
)
def test_few_images_have_smaller_batches_and_more_epochs(images, expected):
    assert LENGTH.reaching(2000, images, smaller_batches=1) == expected


def test_batches_stay_where_they_may_not_be_halved():
    assert LENGTH.reaching(2000, 480) == ScheduleLength(286, 64)
    assert LENGTH.reaching(2000, 480, smaller_batches=64) == ScheduleLength(286, 64)


@given(images=st.integers(1, 5000), epochs=st.integers(1, 50), batch=st.integers(2, 256), least=st.integers(1, 3000))
def test_the_steps_are_reached_and_none_is_lost(images, epochs, batch, least):
    length = ScheduleLength(epochs, batch)
    found = length.reaching(least, images, smaller_batches=1)
    assert found.steps(images) >= least and found.epochs >= epochs
    assert found.batch_size == min(batch, images) or found.batch_size >= SMALLEST_BATCH
