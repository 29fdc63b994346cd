import numpy as np
import pytest
from scipy.stats import norm, rankdata

from nasgem_core.errors import DataError
from nasgem_core.predictors.predictor import normal_scores

ROWS = np.arange(5)


def test_normal_scores_are_quantiles_by_rank():
    scores = normal_scores(ROWS, np.array([0.9, 0.1, 0.93, 0.92, 0.91]))
    quantiles = norm.ppf([0.3, 0.1, 0.9, 0.7, 0.5])
    assert scores.tolist() == pytest.approx((quantiles / quantiles.std()).tolist())
    assert (scores.mean(), scores.std()) == (pytest.approx(0), pytest.approx(1))


def test_equal_labels_have_equal_scores():
    labels = np.array([0.5, 0.9, 0.5, 0.7, 0.7])
    scores = normal_scores(ROWS, labels)
    assert scores[0] == scores[2] and scores[3] == scores[4]
    assert np.array_equal(rankdata(scores), rankdata(labels))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(4.0), r"labels has shape \(4,\) for rows of shape \(5,\)"),
        (np.array([0.1, 0.2, np.nan, 0.3, 0.4]), r"labels\[2\] = nan"),
        (np.array([0.1, np.inf, 0.2, 0.3, 0.4]), r"labels\[1\] = inf"),
        (np.full(5, 0.9), "labels has 5 values and no two differ"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        normal_scores(ROWS, labels)


def test_no_label_at_all_is_refused():
    with pytest.raises(DataError, match="labels has 0 values"):
        normal_scores(np.arange(0), np.array([]))
