import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nasgem_core.benchmarks.judging import MEASURES
from tasks.benchmark.files import (
    BIAS,
    RANKING,
    TRIALS_FILE,
    mean_picks,
    one_label,
    read_trials,
    summarise,
    write_searches,
    write_trials,
)
from tests.benchmarks.synthetic import synthetic_table


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def trial(split: int, tau: float, purpose: str = RANKING) -> dict:
    names = {"table": "mine", "predictor": "random", "purpose": purpose, "training": 30, "split": split}
    return {**names, **dict.fromkeys(MEASURES, 0.5), "kendall_tau": tau, "bias": 0.1 * split, "fit_seconds": 1.0}


def test_means_are_over_the_splits_of_one_purpose():
    write_trials([trial(0, 0.4), trial(1, 0.8), trial(0, 0.0, BIAS), trial(1, 0.0, BIAS)])
    trials = read_trials()
    mean, half = summarise(trials, RANKING)["mine"]["random"][30]["kendall_tau"]
    low, high = stats.t.interval(0.95, 1, loc=0.6, scale=stats.sem([0.4, 0.8]))
    assert (mean - half, mean + half) == pytest.approx((low, high))
    assert summarise(trials, BIAS) == {
        "mine": {"random": {30: {"bias": pytest.approx((0.05, 0.05 * 12.7062), rel=1e-4)}}}
    }


def test_scores_that_are_all_equal_count_as_no_correlation():
    found = summarise(write_trials([trial(0, math.nan), trial(1, 0.8)]), RANKING)["mine"]["random"][30]
    assert found["kendall_tau"][0] == pytest.approx(0.4)
    assert math.isnan(found["lipschitz_bound"][0])


def test_no_trial_and_no_search_are_files_too():
    assert summarise(write_trials([]), RANKING) == {}
    write_searches([])
    assert TRIALS_FILE.is_file()
    assert mean_picks([]) == {}


def test_one_label_ranks_as_far_as_its_noise_lets_it():
    table = synthetic_table(300)
    found = one_label(table)
    expected = stats.kendalltau(table.metrics["label"], table.metrics["truth"]).statistic
    assert found["kendall_tau"] == pytest.approx(expected)
    assert found["kendall_tau"] < 1


def test_a_truth_that_is_mostly_the_label_sets_no_ceiling():
    table = synthetic_table(300)
    truth = np.where(np.arange(300) < 20, table.metrics["truth"], table.metrics["label"])
    once = replace(table, metrics={**table.metrics, "truth": truth})
    assert all(math.isnan(value) for value in one_label(once).values())
    assert all(math.isnan(value) for value in one_label(replace(table, label="truth")).values())


def test_picks_are_averaged_by_table_and_search():
    rows = [{"table": "mine", "search": "random", "picked_accuracy": value} for value in (0.9, 0.94)]
    mean, half = mean_picks(rows)["mine"]["random"]
    assert mean == pytest.approx(0.92)
    assert half == pytest.approx(stats.t.ppf(0.975, 1) * pd.Series([0.9, 0.94]).sem())
