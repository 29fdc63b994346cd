"""A search at a budget, in this process: every cell has a network of the budget, and the others are ruled out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flows.cli import show
from flows.cli.printing import out
from flows.runtime.session import Session
from flows.selection import choose
from flows.stages import gemnet, possible_cells, train_cells
from flows.stages.possible_cells import random_stream
from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.errors import ParameterError
from tasks.stages.best_cell import read_best_cell
from tasks.stages.networks import gemnet_layout
from tasks.stages.report_search import _draw_pareto, search_facts
from tasks.stages.results import Results
from tasks.stages.small_gemnet import train_small_gemnet
from tasks.store.artifacts import METRICS
from tests.flows.in_process import STAGES, open_small_session, small_config, train_nothing

BUDGET = "1.2M"
"""Of the cells of six vertices some cannot meet it."""


@pytest.fixture(scope="module")
def at_budget(tmp_path_factory) -> Iterator[tuple[Session, list, str]]:
    """Give the session of such a search, what was trained, and what was said."""
    trained, said = [], []

    def train(engine, task, inputs, on_result, **_):
        trained.extend((task, given) for given in inputs)
        train_nothing(engine, task, inputs, on_result)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("budget"))
        session, _ = open_small_session(patch, small_config("macs", BUDGET, "perceptron"))
        patch.setattr(train_cells, "run_side_by_side", train)
        patch.setattr("flows.stages.possible_cells.say", said.append)
        for stage in STAGES[:-1]:
            stage.fn()
        yield session, trained, said


@pytest.fixture(autouse=True)
def _folder(at_budget) -> None:
    """Work in the folder of the search."""


def test_every_trained_cell_has_the_budget_and_its_accuracy_as_score(at_budget):
    session, _, _ = at_budget
    trained = Results(session.config).trained
    usable = trained.usable
    assert len(usable) > 10 and np.array_equal(usable.score, usable.accuracy)
    assert (np.abs(trained.macs - 1_200_000) <= 12_000).all() and not trained.columns
    assert not any(session.objective.obstacles(trained.cells))


def test_cells_are_trained_as_small_gemnets(at_budget):
    session, trained, _ = at_budget
    assert {task for task, _ in trained} == {train_small_gemnet}
    for _, given in trained:
        frame = given["frame"]
        assert (frame.num_classes, frame.image_size) == (4, (16, 16))
        found = gemnet_costs(given["cell"], frame.layout, given["channels"], 4, (16, 16)).macs
        assert found == pytest.approx(1_200_000 * session.config.proxy.macs_share, rel=0.01)


def test_cells_that_cannot_meet_it_are_replaced_and_reported(at_budget):
    session, _, said = at_budget
    config = session.config
    stream = random_stream(session, 8)
    assert len(stream.cells) == 8 and stream.ruled_out.total() > 0
    ahead = random_stream(session, 5)
    assert ahead.cells.keys == stream.cells.keys[:5] and ahead.ruled_out <= stream.ruled_out
    assert said[0] == f"  random cells ruled out: {stream.ruled_out.total()} (no network of 1.2M MACs)"
    assert said[1] == "  known blocks ruled out: 3 (no network of 1.2M MACs)"
    metrics = json.loads((METRICS / "estimator.json").read_text())
    assert metrics["ruled_out_cells"] >= stream.ruled_out.total()
    assert "ruled_out_cells" in json.loads((METRICS / "bootstrap.json").read_text())
    assert len(Results(config).baseline) == len(Results(config).searched)


def test_a_budget_that_too_few_can_meet_names_one_that_they_can(at_budget, monkeypatch):
    session, _, _ = at_budget
    monkeypatch.setattr(possible_cells, "_MOST_DRAWN", 10)
    message = r"4 random cells are needed, and \d of 40 are possible: \d+ .no network of 300k MACs.*; 4 of these"
    with pytest.raises(ParameterError, match=message) as fault:
        random_stream(with_budget(session, "300k"), 4)
    text = str(fault.value).partition("score.budget = ")[2].partition(":")[0]
    assert len(random_stream(with_budget(session, text), 4).cells) == 4


def with_budget(session, text):
    config = replace(session.config, score=replace(session.config.score, budget=text))
    other = replace(session, config=config)
    other.__dict__["images"] = session.images
    return other


def test_the_chosen_network_has_the_budget(at_budget, monkeypatch):
    session, _, _ = at_budget
    monkeypatch.setattr(gemnet, "create_table_artifact", lambda *_, **__: None)
    gemnet.gemnet.fn()
    spec = NetworkSpec.from_json(Path("data/gemnet/gemnet_a.json").read_text())
    assert [path.name for path in Path("data/gemnet").glob("*.json")] == ["gemnet_a.json"]
    assert (spec.cell, spec.layout, spec.num_classes) == (read_best_cell(), gemnet_layout(session.config.gemnet), 4)
    costs = gemnet_costs(spec.cell, spec.layout, spec.channels, 4, (64, 64))
    assert costs.macs == Results(session.config).best["macs"]


def test_it_is_said_everywhere(at_budget, monkeypatch):
    session, _, _ = at_budget
    assert session.objective.formula == "accuracy at 1.2M MACs"
    results = Results(session.config)
    assert search_facts(results, session.objective)["the score is"] == "accuracy at 1.2M MACs"
    assert _draw_pareto(results, session.objective).axes[0].get_xlabel() == "params (millions, log scale)"
    monkeypatch.setattr(show, "load_config", lambda: session.config)
    for name in ("prepare_environment", "show_places"):
        monkeypatch.setattr(show, name, lambda **_: None)
    monkeypatch.setattr("tasks.stages.proxy_images.open_images", lambda *_: session.images)
    with out.capture() as shown:
        show.show_results()
        show.show_cell("best", None)
    text = shown.get()
    assert "(accuracy at 1.2M MACs)" in text and "(GEMNet at score.budget = 1.2M)" in text


def test_another_penalty_or_bound_is_refused(at_budget):
    session, _, _ = at_budget
    chosen = choose(session, None, 0, 3)
    assert len(chosen.predicted.cells) == 3 and not any(session.objective.obstacles(chosen.predicted.cells))
    with pytest.raises(ParameterError, match=r"penalty = 0.2: with score.budget = 1.2M MACs the score is the accuracy"):
        choose(session, 0.2, 0, 3)
    with pytest.raises(ParameterError, match=r"macs = 1M: this search built every cell to score.budget = 1.2M; leave"):
        choose(session, None, 1_000_000, 3)
