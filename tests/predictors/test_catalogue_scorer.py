import json

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors import encoder, fitting
from nasgem_core.predictors.catalogue_scorer import TrainingSet, fit_catalogue_scorer
from nasgem_core.predictors.fitting import pretrain_kind
from nasgem_core.search.score import Measured, efficiency_score

SPACE = CellsConfig(vertices=8)
TRAINED = 60
QUICK = ("boosted_trees", "nas_bowl")


@pytest.fixture(autouse=True)
def _small_reference(monkeypatch):
    monkeypatch.setattr(fitting, "_REFERENCE", 300)


@pytest.fixture(scope="module")
def measured():
    """Cells whose accuracy grows with the share of one operation and with MACs."""
    cells = sample_distinct_cells(SPACE, 260, 0)
    macs = 10**6 * (1 + cells.adjacency.sum((1, 2), dtype=np.int64))
    noise = 0.005 * np.random.default_rng(0).normal(size=len(cells))
    accuracy = 0.3 + 0.2 * (cells.codes == 3).sum(1) / cells.num_vertices + 0.1 * np.log10(macs / 1e6) + noise
    return cells, accuracy, macs


def training_set_of(measured, kind, target="score", pretrained=None):
    cells, accuracy, macs = (part[:TRAINED] for part in measured)
    return TrainingSet(kind, cells, Measured(accuracy, macs, 0.1), SPACE, target, pretrained or {}, 1)


@pytest.mark.parametrize("target", ["score", "accuracy"])
@pytest.mark.parametrize("kind", QUICK)
def test_it_ranks_and_predicts_other_cells(measured, kind, target):
    cells, accuracy, macs = (part[TRAINED:] for part in measured)
    scores = efficiency_score(accuracy, macs, 0.1)
    scorer = fit_catalogue_scorer(training_set_of(measured, kind, target))
    assert scorer.needs_costs == (target == "accuracy")
    predicted = scorer.score(cells, macs, 0.1)
    assert predicted.dtype == np.float32
    assert kendalltau(predicted, scores).statistic > 0.5
    guess = efficiency_score(measured[1][:TRAINED], measured[2][:TRAINED], 0.1).mean()
    assert np.square(predicted - scores).mean() < 0.6 * np.square(scores - guess).mean()


@pytest.mark.parametrize("kind", QUICK)
def test_a_cell_s_score_does_not_depend_on_the_batch(measured, kind):
    cells, _, macs = measured
    scorer = fit_catalogue_scorer(training_set_of(measured, kind))
    together = scorer.score(cells, macs, 0.1)
    np.testing.assert_allclose(together[100:110], scorer.score(cells[100:110], macs[100:110], 0.1), atol=1e-5)


@pytest.mark.slow
def test_pretraining_is_part_of_the_training_set(measured, monkeypatch):
    pretrain = encoder.pretrain
    monkeypatch.setattr(encoder, "pretrain", lambda space, seed: pretrain(space, seed, steps=20))
    pretrained = pretrain_kind("message_passing", SPACE, 1)
    known = training_set_of(measured, "message_passing", pretrained=pretrained)
    arrays, metadata = known.to_arrays()
    again = TrainingSet.from_arrays(arrays, json.loads(json.dumps(metadata)))
    cells, _, macs = measured
    first, second = (fit_catalogue_scorer(one).score(cells, macs, 0.1) for one in (known, again))
    assert np.array_equal(first, second)
    with pytest.raises(DataError, match="pre-train on the space again"):
        fit_catalogue_scorer(training_set_of(measured, "message_passing"))


def test_a_predictor_that_knows_nothing_still_ranks(measured):
    """Its scores have no slope against the values; picks are then random and not the first ones."""
    scorer = fit_catalogue_scorer(training_set_of(measured, "random"))
    cells, _, macs = measured
    assert len(np.unique(scorer.score(cells, macs, 0.1))) > 1
    assert scorer.predictor.slope > 0


def test_what_is_not_a_training_set_is_refused(measured):
    arrays, metadata = training_set_of(measured, "nas_bowl").to_arrays()
    with pytest.raises(DataError, match=r"field 'schema' must be 'nasgem\.scorer/2'"):
        TrainingSet.from_arrays(arrays, {})
    for broken in ({n: a for n, a in arrays.items() if n != "accuracy"}, {**arrays, "other.thing": arrays["costs"]}):
        with pytest.raises(DataError, match="incomplete or of another version"):
            TrainingSet.from_arrays(broken, metadata)
    with pytest.raises(ParameterError, match="unknown predictor 'oracle'"):
        fit_catalogue_scorer(training_set_of(measured, "oracle"))
