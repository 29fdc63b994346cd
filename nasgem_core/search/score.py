"""The efficiency score of a cell (paper, Eq. 5)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nasgem_core.errors import DataError, ParameterError


def efficiency_score(accuracy: ArrayLike, macs: ArrayLike, penalty: float) -> Any:
    """Return S = accuracy - penalty * log10(MACs in millions), elementwise.

    Args:
        accuracy: validation accuracy on the proxy task, a fraction in [0, 1].
        macs: multiply-adds of the network, a count.
        penalty: lambda.

    Raises:
        DataError: an accuracy is no fraction (NaN included), or a network has no multiply-adds.
        ParameterError: the penalty is negative or not finite.
    """
    accuracy = np.asarray(accuracy, dtype=np.float64)
    wrong = ~((accuracy >= 0) & (accuracy <= 1))
    if wrong.any():
        raise DataError(f"accuracy = {accuracy[wrong][0]}: must be a fraction in [0, 1]; leave out cells that failed")
    return accuracy - mac_term(macs, penalty)


def mac_term(macs: ArrayLike, penalty: float) -> Any:
    """Return what Eq. 5 subtracts, penalty * log10(MACs in millions), elementwise; raises as `efficiency_score`."""
    if not 0 <= penalty < float("inf"):
        raise ParameterError(f"score.penalty = {penalty}: must be a finite number, 0 or above")
    return penalty * log_macs(macs)


def log_macs(macs: ArrayLike) -> Any:
    """Return log10(MACs in millions), elementwise; raises `DataError` where there are none."""
    macs = np.asarray(macs, dtype=np.float64)
    wrong = ~((macs > 0) & np.isfinite(macs))
    if wrong.any():
        raise DataError(f"macs = {macs[wrong][0]}: the multiply-adds of a network must be a finite number above 0")
    return np.log10(macs / 1e6)
