"""An objective of a user's own package, in every place that shows what the score charges."""

import json
import math

import numpy as np
import pytest

from flows.cli import show
from flows.cli.printing import out
from flows.selection import choose
from nasgem_core.config.search import ScoreConfig
from nasgem_core.errors import ParameterError
from nasgem_core.search.objective import objective_class
from tasks.stages.objective import objective_value
from tasks.stages.results import Results
from tasks.stages.trained import ESTIMATOR_FILE, SCHEMA
from tasks.store.artifacts import read_table
from tasks.store.fingerprint import fingerprint


def test_its_name_is_a_value_of_the_parameter(small_search):
    assert objective_class("depth").cost_words() == "depth in steps"
    with pytest.raises(ParameterError, match=r"score\.objective = 'energy': must be one of .*macs.*depth"):
        ScoreConfig(objective="energy")


def test_its_source_is_part_of_the_keys_of_tasks(small_search):
    value = objective_value(small_search.session.objective)
    assert value["source"] and fingerprint(value) != fingerprint({**value, "source": "another"})


def test_the_search_charges_it(small_search):
    trained = Results(small_search.config).trained
    known = trained.usable
    depth = known.cells.num_vertices - 1
    np.testing.assert_array_equal(known.columns["depth_steps"], depth)
    np.testing.assert_allclose(known.score, known.accuracy - 0.1 * np.log10(depth))
    assert "depth_steps" in read_table(ESTIMATOR_FILE, SCHEMA).columns


def test_metrics_have_it(small_search):
    metrics = json.loads((small_search.root / "data/metrics/bootstrap.json").read_text())
    best = Results(small_search.config).best
    assert metrics["best_depth_steps"] == best["depth_steps"]
    assert metrics["random_best_depth_steps"] > 0 and metrics["best_macs"] == best["macs"]


def test_mlflow_has_it(small_search):
    cells = [record for record in small_search.tracking.records if record.kind == "cell"]
    assert cells and all("depth_steps" in {name for name, _, _ in record.metrics} for record in cells)
    (stage,) = [r for r in small_search.tracking.records if r.kind == "stage" and r.name == "bootstrap"]
    assert "best_depth_steps" in {name for name, _, _ in stage.metrics}


def test_the_report_has_it(small_search):
    page = (small_search.root / "data/report/report.html").read_text()
    assert "depth steps" in page and "depth charged" in page and "accuracy - 0.1 log10(depth in steps)" in page
    assert "accuracy against depth in steps of every trained cell" in page


def test_select_charges_it(small_search):
    chosen = choose(small_search.session, 0.3, 0, 3)
    depth = chosen.measured.cells.num_vertices - 1
    np.testing.assert_allclose(chosen.measured.score, chosen.measured.accuracy - 0.3 * np.log10(depth))
    assert chosen.predicted_columns["depth_steps"].tolist() == (chosen.predicted.cells.num_vertices - 1).tolist()
    with out.capture() as captured:
        show.show_selection(chosen)
    text = captured.get()
    assert "score: accuracy - 0.3 log10(depth in steps), no bound on MACs; nothing was trained" in text
    assert text.count("depth steps") == 2


def test_show_has_it(small_search, monkeypatch):
    monkeypatch.setattr(show, "load_config", lambda: small_search.config)
    monkeypatch.setattr(show, "show_places", lambda: None)
    monkeypatch.setattr(show, "prepare_environment", lambda **_: None)
    monkeypatch.setattr("tasks.stages.proxy_images.open_images", lambda *_: small_search.session.images)
    with out.capture() as captured:
        show.show_results()
        show.show_cell("best", None)
    text, best = captured.get(), Results(small_search.config).best
    assert "(accuracy - 0.1 log10(depth in steps))" in text and "depth steps" in text
    assert f"depth     {best['depth_steps']:g} steps; the score charges it, not the MACs" in text
    assert math.isclose(best["score"], best["accuracy"] - 0.1 * math.log10(best["depth_steps"]))
