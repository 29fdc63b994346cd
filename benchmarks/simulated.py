"""A task that waits as a training would, for benchmarks/engines.py; workers import this module."""

import time
from typing import Any

from tasks.store.caching import cached_task


@cached_task("simulated training")
def simulated(number: int, seconds: float, root: int) -> dict[str, Any]:
    """Wait; return as much as a training returns.

    Args:
        number: of the training.
        seconds: to wait.
        root: another value makes other records.
    """
    time.sleep(seconds)
    return {"number": number, "epoch_losses": [0.0] * 20, "epoch_accuracies": [0.0] * 20}
