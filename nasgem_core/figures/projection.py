"""Principal components, to show embeddings in the plane."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Projection:
    """The first principal components of a set of points.

    Args:
        centre: [d] mean of the points.
        axes: [k, d] orthonormal directions in order of decreasing variance; the largest entry of each is positive.
        explained: [k] share of the total variance along each, in [0, 1].
    """

    centre: np.ndarray
    axes: np.ndarray
    explained: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return points [N, d] as coordinates [N, k]."""
        return (np.asarray(points, dtype=float) - self.centre) @ self.axes.T


def principal_components(points: np.ndarray, count: int = 2) -> Projection:
    """Return the first `count` principal components of points [N, d], N >= 1, padded with zeros if d is smaller."""
    points = np.asarray(points, dtype=float)
    centre = points.mean(axis=0)
    _, scale, axes = np.linalg.svd(points - centre, full_matrices=False)
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    variance = scale**2
    share = variance / variance.sum() if variance.sum() > 0 else np.zeros_like(variance)
    missing = max(0, count - len(axes))
    axes = np.pad(axes[:count], ((0, missing), (0, 0)))
    return Projection(centre, axes, np.pad(share[:count], (0, missing)))
