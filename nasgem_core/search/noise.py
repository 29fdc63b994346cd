"""The noise of a training: by how much repeated measurements of one cell differ."""

from dataclasses import dataclass

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.intervals import half_width


@dataclass(frozen=True)
class Noise:
    """The standard deviation between repeated measurements of one cell, taken to be alike for all cells.

    Args:
        deviation: its estimate.
        freedom: degrees of freedom of the estimate, at least 1.
    """

    deviation: float
    freedom: int

    @classmethod
    def of(cls, values: np.ndarray, cells: np.ndarray) -> "Noise":
        """Return the noise of repeated measurements, pooled over the cells.

        Args:
            values: [N] measurements.
            cells: [N] which cell each is of, any labels; cells with one measurement say nothing of the noise.

        Raises:
            DataError: no cell was measured twice, or lengths differ.
        """
        if np.shape(values) != np.shape(cells) or np.ndim(values) != 1:
            raise DataError(f"{np.shape(values)} values for {np.shape(cells)} cells: give one cell for each value")
        values = np.asarray(values, dtype=np.float64)
        _, group = np.unique(cells, return_inverse=True)
        counts = np.bincount(group)
        means = np.bincount(group, weights=values) / counts
        freedom = len(values) - len(counts)
        if freedom < 1:
            raise DataError("no cell was measured twice: repeated measurements are needed to know their noise")
        return cls(float(np.sqrt(np.square(values - means[group]).sum() / freedom)), freedom)

    def half_width(self, share: float) -> float:
        """Return half of Student's 95 % interval of a number whose variance is this share of one measurement's.

        The share of a mean of m measurements is 1 / m, that of the difference of two means the sum of theirs.
        """
        return half_width(self.deviation * float(np.sqrt(share)), self.freedom)
