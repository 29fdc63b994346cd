import math

import pytest

from nasgem_core.benchmarks.judging import MEASURES
from nasgem_core.benchmarks.table import write_table
from tasks.benchmark.files import BIAS, RANKING, summarise, write_trials
from tasks.benchmark.tables import table_path
from tasks.benchmark.trial_report import mean_taus, predictor_pictures, predictor_tables, tau_tables
from tests.benchmarks.synthetic import synthetic_table

CEILINGS = {"mine": dict.fromkeys(MEASURES, 0.9)}


@pytest.fixture
def trials(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = []
    for predictor, tau in (("random", 0.0), ("gcn", 0.5)):
        for split in range(2):
            for purpose, training in ((RANKING, 30), (RANKING, 60), (BIAS, 60)):
                names = {"table": "mine", "predictor": predictor, "purpose": purpose, "training": training}
                found = {**dict.fromkeys(MEASURES, tau), "bias": 0.01, "fit_seconds": 1.0, "seconds_per_million": 2.0}
                rows.append({**names, "split": split, **found})
    return write_trials(rows)


def test_the_best_predictor_comes_first_and_measures_that_nobody_has_are_left_out(trials):
    tables = predictor_tables(summarise(trials, RANKING), summarise(trials, BIAS), CEILINGS)
    taus = tables[0]
    assert (taus.title, taus.header) == ("mine: Kendall tau", ["predictor", "30", "60"])
    assert [row[0] for row in taus.rows] == ["gcn", "random"]
    assert taus.rows[0][1].startswith("0.500") and taus.note == "one label, ranked by itself: 0.900"
    titles = [table.title for table in tables]
    assert not [title for title in titles if "Lipschitz" in title]
    assert titles[-1] == "mine: prediction bias (Figure 5)"


def test_plots_are_of_what_was_tried(trials):
    pictures = predictor_pictures(summarise(trials, RANKING), summarise(trials, BIAS), CEILINGS, 2)
    assert list(pictures) == ["mine_kendall_tau", "mine_top_precision", "mine_bias"]
    assert "Kendall tau of 2 predictors on mine" in pictures["mine_kendall_tau"].alternative


def test_taus_have_names_that_mlflow_takes(trials):
    assert mean_taus(summarise(trials, RANKING))["kendall_tau.mine.gcn.60"] == 0.5


def test_the_trials_written_last_are_shown_with_their_ceiling(trials):
    write_table(synthetic_table(50, name="mine"), table_path("mine"))
    (table,) = tau_tables()
    assert table.title == "mine: Kendall tau" and table.note.startswith("one label, ranked by itself: 0.")
    assert not math.isnan(float(table.rows[0][1].split()[0]))
