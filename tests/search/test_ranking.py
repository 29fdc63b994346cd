import math

import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.search.ranking import prediction_error, rank_correlation


def test_correlations_by_hand():
    # Of the 6 pairs of rows one is swapped: tau = (5 - 1) / 6; rho = 1 - 6 * 2 / (4 * 15).
    result = rank_correlation(np.array([1.0, 2, 3, 4]), np.array([10.0, 30, 20, 40]))
    assert result == pytest.approx({"kendall_tau": 4 / 6, "spearman_rho": 0.8})


@pytest.mark.parametrize(
    "predicted, measured", [([1.0, 2], [1.0, 2]), ([1.0, 1, 1], [1.0, 2, 3]), ([1.0, 2, 3], [2.0, 2, 2])]
)
def test_what_cannot_be_ranked_has_no_correlation(predicted, measured):
    result = rank_correlation(np.array(predicted), np.array(measured))
    assert math.isnan(result["kendall_tau"]) and math.isnan(result["spearman_rho"])


def test_errors_by_hand():
    result = prediction_error(np.array([1.0, 2.0]), np.array([1.5, 4.0]), guess=2.0)
    assert result == pytest.approx({"squared_error": (0.25 + 4) / 2, "constant_squared_error": (0.25 + 4) / 2})
    assert math.isnan(prediction_error(np.empty(0), np.empty(0), 0.0)["squared_error"])


def test_failed_cells_and_wrong_shapes_are_refused():
    with pytest.raises(DataError, match=r"measured\[1\] = nan: leave out cells that failed"):
        rank_correlation(np.array([1.0, 2, 3]), np.array([1.0, np.nan, 3]))
    with pytest.raises(DataError, match=r"predicted has shape \(2,\), measured \(3,\)"):
        prediction_error(np.zeros(2), np.zeros(3), 0.0)
