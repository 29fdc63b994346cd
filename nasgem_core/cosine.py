"""The cosine that learning rates follow from their peak to zero."""

import math


def cosine_decay(step: int, steps: int) -> float:
    """Return the share of the peak learning rate at step `step` of `steps`: 1 at step 0, 0 at the last step."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))
