import numpy as np
import pytest
from scipy.stats import kendalltau

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.prediction_spaces import prediction_space
from nasgem_core.errors import DataError
from nasgem_core.predictors.baselines import ParameterCount, RandomScores
from tests.benchmarks.synthetic import synthetic_table


def test_random_scores_rank_nothing_and_repeat():
    table = synthetic_table(2000)
    space, rows = prediction_space(table, Benchmark()), np.arange(2000)
    labels = table.metrics[table.label]
    scores = RandomScores(space).fit(rows[:50], labels[:50], 3).predict(rows)
    assert abs(kendalltau(scores, table.metrics[table.truth]).statistic) < 0.05
    assert np.array_equal(scores[5:9], RandomScores(space).fit(rows[9:99], labels[9:99], 3).predict(rows[5:9]))
    assert not np.array_equal(scores, RandomScores(space).fit(rows[:50], labels[:50], 4).predict(rows))


def test_parameters_rank_as_the_table_s():
    table = synthetic_table(300)
    rows = np.arange(300)
    counts = ParameterCount(prediction_space(table, Benchmark()))
    scores = counts.fit(rows[:9], table.metrics[table.label][:9], 0).predict(rows)
    params = table.metrics["params"]
    # Features are cut at four standard deviations.
    inside = np.abs(scores) < 4
    assert kendalltau(scores[inside], params[inside]).statistic == pytest.approx(1)


def test_a_table_without_parameters_is_refused():
    table = synthetic_table(50, params=False)
    with pytest.raises(DataError, match="no metric 'params'"):
        ParameterCount(prediction_space(table, Benchmark()))
