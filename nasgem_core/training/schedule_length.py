"""How long a training is: so many epochs, and with few images so many that it has enough steps."""

import math
from dataclasses import dataclass

SMALLEST_BATCH = 32
"""Batches are not made smaller than this: batch normalisation needs so many images."""


@dataclass(frozen=True)
class ScheduleLength:
    """The length of a training.

    Args:
        epochs: passes over the images.
        batch_size: images per step.
    """

    epochs: int
    batch_size: int

    def steps(self, images: int) -> int:
        """Return the whole steps on so many images."""
        return self.epochs * (images // self.batch_size)

    def reaching(self, least: int, images: int, *, smaller_batches: int = 0) -> "ScheduleLength":
        """Return the length with at least so many steps on so many images; itself where it has them.

        Batches are halved first, as far as is allowed and needed, because that takes no more time; then the epochs are
        raised.

        Args:
            least: steps; 0 changes nothing.
            images: that it trains on.
            smaller_batches: into how many equal parts a batch must still divide; 0 keeps batches as they are.
        """
        batch = min(self.batch_size, images) if least else self.batch_size
        while smaller_batches and self.epochs * (images // batch) < least and _halves(batch, smaller_batches):
            batch //= 2
        length = ScheduleLength(self.epochs, batch)
        if not images or length.steps(images) >= least:
            return length
        return ScheduleLength(math.ceil(least / (images // batch)), batch)


def _halves(batch: int, parts: int) -> bool:
    return batch % (2 * parts) == 0 and batch // 2 >= SMALLEST_BATCH
