"""Which images make a step: a pure function of seed, epoch and step, however many processes share the work."""

import numpy as np

from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.distributed import World


def epoch_batches(
    count: int, batch_size: int, accumulate: int, seed: int, epoch: int, world: World, first_step: int = 0
) -> list[np.ndarray]:
    """Return the numbers of the images of each of this process's batches, from a step of the epoch on.

    Step k has the images k * batch_size ... of the shuffled set, so processes and accumulation do not change it: they
    cut it into accumulate * world.size batches of one size, of which each process takes every world.size-th. Images
    that make no whole step are left out; each epoch shuffles anew.

    Args:
        count: images of the set.
        batch_size: images of one step, over all processes.
        accumulate: batches a step on each process.
        seed: root of the order.
        epoch: number of the epoch.
        world: this process among those that share the step.
        first_step: steps of the epoch that are done.

    Raises:
        ParameterError: a step cannot be cut into batches of one size.
    """
    parts = accumulate * world.size
    if batch_size % parts:
        raise ParameterError(
            f"batch_size = {batch_size}: must be a multiple of accumulate = {accumulate} times {world.size} "
            f"{'process' if world.size == 1 else 'processes'}, such as {-(-batch_size // parts) * parts}"
        )
    order = np.random.default_rng(derive_seed(seed, "order", epoch)).permutation(count)
    used = order[first_step * batch_size : count // batch_size * batch_size]
    return list(used.reshape(-1, world.size, batch_size // parts)[:, world.rank])
