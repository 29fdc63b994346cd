import numpy as np
import pytest

from nasgem_core.errors import ParameterError
from nasgem_core.training.distributed import World
from nasgem_core.training.order import epoch_batches


def batches(world=None, accumulate=1, seed=3, epoch=0, first=0, count=50, batch_size=12):
    return epoch_batches(
        count, batch_size, accumulate=accumulate, seed=seed, epoch=epoch, world=world or World(), first_step=first
    )


def test_an_epoch_shows_each_image_at_most_once_in_whole_steps():
    found = batches()
    assert [len(batch) for batch in found] == [12] * 4
    shown = np.concatenate(found)
    assert len(set(shown.tolist())) == 48 and shown.min() >= 0 and shown.max() < 50


def test_the_order_depends_on_seed_and_epoch_alone():
    assert np.array_equal(batches(), batches())
    assert not np.array_equal(batches(), batches(seed=4)) and not np.array_equal(batches(), batches(epoch=1))


@pytest.mark.parametrize(("accumulate", "size"), [(1, 2), (2, 1), (2, 2), (3, 4)])
def test_processes_and_accumulation_share_the_images_of_a_step(accumulate, size):
    shares = [batches(World(rank, size), accumulate) for rank in range(size)]
    assert all(len(share) == 4 * accumulate for share in shares)
    for step, whole in enumerate(batches()):
        parts = [share[step * accumulate + i] for i in range(accumulate) for share in shares]
        assert np.array_equal(np.concatenate(parts), whole)


def test_the_rest_of_an_epoch_is_its_end():
    assert np.array_equal(batches(first=3), batches()[3:]) and batches(first=4) == []
    assert np.array_equal(batches(accumulate=2, first=3), batches(accumulate=2)[6:])


def test_a_step_that_cannot_be_shared_evenly_is_refused_with_one_that_can():
    with pytest.raises(ParameterError, match=r"batch_size = 12: must be a multiple of accumulate = 5 .*such as 15"):
        batches(accumulate=5)
    with pytest.raises(ParameterError, match="times 8 processes, such as 16"):
        batches(World(0, 8))
