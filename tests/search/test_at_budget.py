import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.score import ScoreConfig
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import ParameterError
from nasgem_core.search.at_budget import AtBudget, formula_of
from nasgem_core.search.target import Target
from tests.search.target_networks import target_networks

CELLS = sample_distinct_cells(CellsConfig(vertices=8), 6, 0)
ACCURACY = np.linspace(0.3, 0.8, 6)
OBJECTIVE = AtBudget("macs", target_networks())


def test_the_score_is_the_accuracy():
    assert np.array_equal(OBJECTIVE.score(ACCURACY, OBJECTIVE.costs(CELLS)), ACCURACY)
    assert np.array_equal(OBJECTIVE.measured(CELLS, ACCURACY).scores, ACCURACY)
    assert OBJECTIVE.costs(CELLS).tolist() == OBJECTIVE.predicted_costs(CELLS).tolist() == [20_000_000] * 6
    assert (OBJECTIVE.columns(CELLS), OBJECTIVE.penalty, OBJECTIVE.remark()) == ({}, 0.0, "")


@pytest.mark.parametrize("kind", ["score", "accuracy"])
def test_predictors_learn_the_accuracy_alone(kind):
    measured = OBJECTIVE.measured(CELLS, ACCURACY)
    target, values = Target.of(kind, measured)
    assert target.cost_trend == 0
    np.testing.assert_allclose(target.scores(values, measured.costs, OBJECTIVE.penalty), ACCURACY, rtol=1e-6)


def test_it_says_what_it_is():
    assert OBJECTIVE.formula == "accuracy at 20M MACs" == formula_of(ScoreConfig(budget="20M"))
    assert formula_of(ScoreConfig(budget="450k", objective="params")) == "accuracy at 450k params"
    assert formula_of(ScoreConfig(penalty=0.2)) == "accuracy - 0.2 log10(MACs in millions)"


def test_another_penalty_is_refused():
    assert OBJECTIVE.with_penalty(0.0).networks == OBJECTIVE.networks
    with pytest.raises(ParameterError, match=r"penalty = 0.2: with score.budget = 20M MACs the score is the accuracy"):
        OBJECTIVE.with_penalty(0.2)


def test_plots_show_the_cost_that_the_budget_leaves_open():
    costs = OBJECTIVE.networks.complexity(CELLS)
    assert np.array_equal(OBJECTIVE.plotted_costs(CELLS), costs.params) and OBJECTIVE.plotted == "params"
    other = AtBudget("params", target_networks(500_000, "params"))
    assert len(set(other.plotted_costs(CELLS).tolist())) > 1 and other.plotted == "MACs"


def test_obstacles_and_remedies():
    assert OBJECTIVE.obstacles(CELLS) == [""] * 6
    tight = AtBudget("macs", target_networks(1_000_000))
    assert "no network of 1M MACs" in tight.obstacles(CELLS)
    assert tight.remedy(CELLS, 3).startswith("3 of these cells can meet score.budget = ")
    huge = AtBudget("macs", target_networks(10**15))
    assert huge.remedy(CELLS, 1).startswith("no larger budget helps: lower score.budget")


def test_plain_values_give_it_back():
    again = AtBudget.from_dict(OBJECTIVE.to_dict())
    assert (again.name, again.penalty, again.networks) == ("macs", 0.0, OBJECTIVE.networks)
