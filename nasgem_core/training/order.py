"""The images of each step: a pure function of seed, epoch and step, however many processes share the work."""

import numpy as np

from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.distributed import World


def epoch_batches(
    count: int,
    batch_size: int,
    *,
    accumulate: int,
    seed: int,
    epoch: int,
    world: World,
    first_step: int = 0,
) -> list[np.ndarray]:
    """Return the indices of the images of each of this process's batches, from a step of the epoch on.

    Step k has the images from k * batch_size on of the shuffled set, whatever the number of processes and batches: a
    step is divided into accumulate * world.size batches of equal size, of which each process takes every world.size-th.
    Images that do not fill a step are left out; each epoch has a new order.

    Args:
        count: images of the set.
        batch_size: images per step, over all processes.
        accumulate: batches per step on each process.
        seed: root of the order.
        epoch: number of the epoch.
        world: this process among those that share the step.
        first_step: steps of the epoch that are already done.

    Raises:
        ParameterError: a step cannot be divided into batches of equal size.
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
