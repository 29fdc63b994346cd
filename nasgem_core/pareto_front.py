"""The Pareto front of accuracy against a cost: its one definition, for figures, reports and choices."""

import numpy as np


def pareto_front(costs: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Return the indices of what nothing else dominates, by rising cost.

    One is dominated by another that costs no more and has no less accuracy, and differs in one of them. Equal ones are
    all kept; those with a value that is not finite never are.

    Args:
        costs: [N] costs of cells or networks, such as multiply-adds.
        accuracy: [N] accuracies.
    """
    costs, accuracy = np.asarray(costs, dtype=float), np.asarray(accuracy, dtype=float)
    finite = np.flatnonzero(np.isfinite(costs) & np.isfinite(accuracy))
    if not len(finite):
        return finite
    points, inverse = np.unique(np.stack([costs[finite], -accuracy[finite]], axis=1), axis=0, return_inverse=True)
    before = np.concatenate([[-np.inf], np.maximum.accumulate(-points[:-1, 1])])
    kept = finite[(-points[:, 1] > before)[inverse.ravel()]]
    return kept[np.argsort(costs[kept], kind="stable")]
