import json

import numpy as np
import pytest
from safetensors.numpy import load, save
from scipy.stats import kendalltau

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors.process_scorer import EarlierSearch, ProcessScorer, fit_process
from nasgem_core.search.score import Measured, efficiency_score

SPACE = CellsConfig(vertices=10)
TRAINED = 60


@pytest.fixture(scope="module")
def measured():
    """Cells whose accuracy grows with the share of one operation and with MACs."""
    cells = sample_distinct_cells(SPACE, 300, 0)
    edges = cells.adjacency.sum((1, 2), dtype=np.int64)
    macs = 10**6 * (1 + edges)
    noise = 0.005 * np.random.default_rng(0).normal(size=len(cells))
    accuracy = 0.3 + 0.2 * (cells.codes == 3).sum(1) / cells.num_vertices + 0.1 * np.log10(macs / 1e6) + noise
    return cells, accuracy, macs


@pytest.fixture(scope="module", params=["score", "accuracy"])
def scorer(request, measured):
    cells, accuracy, macs = measured
    known = Measured(accuracy[:TRAINED], macs[:TRAINED], 0.1)
    return fit_process(cells[:TRAINED], known, SPACE, request.param, 1)


def test_it_ranks_and_predicts_other_cells(scorer, measured):
    cells, accuracy, macs = measured
    scores = efficiency_score(accuracy, macs, 0.1)
    predicted = scorer.score(cells[TRAINED:], macs[TRAINED:], 0.1)
    assert kendalltau(predicted, scores[TRAINED:]).statistic > 0.7
    guess = np.square(scores[TRAINED:] - scores[:TRAINED].mean()).mean()
    assert np.square(predicted - scores[TRAINED:]).mean() < 0.3 * guess
    assert predicted.dtype == np.float32


def test_a_cell_s_score_does_not_depend_on_the_batch(scorer, measured):
    cells, _, macs = measured
    together = scorer.score(cells, macs, 0.1)
    np.testing.assert_allclose(together[100:110], scorer.score(cells[100:110], macs[100:110], 0.1), atol=1e-5)


def test_another_penalty_needs_the_accuracy_target(scorer, measured):
    cells, accuracy, macs = measured
    if scorer.needs_costs:
        predicted = scorer.score(cells[TRAINED:], macs[TRAINED:], 0.5)
        assert kendalltau(predicted, efficiency_score(accuracy, macs, 0.5)[TRAINED:]).statistic > 0.7
    else:
        with pytest.raises(ParameterError, match=r"fitted on scores with penalty 0\.1"):
            scorer.score(cells, None, 0.5)


def test_arrays_give_it_back_bit_for_bit(scorer, measured):
    cells, _, macs = measured
    arrays, metadata = scorer.to_arrays()
    # safetensors writes an array as it lies in memory.
    kept = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    again = ProcessScorer.from_arrays(load(kept), json.loads(json.dumps(metadata)))
    assert np.array_equal(again.score(cells, macs, 0.1), scorer.score(cells, macs, 0.1))


def test_what_is_no_process_is_refused(scorer):
    arrays, metadata = scorer.to_arrays()
    with pytest.raises(DataError, match=r"field 'schema' must be 'nasgem\.process/2'"):
        ProcessScorer.from_arrays(arrays, {})
    with pytest.raises(DataError, match="incomplete or of another version"):
        ProcessScorer.from_arrays({name: a for name, a in arrays.items() if name != "standard.mean"}, metadata)
    with pytest.raises(DataError, match="incomplete or of another version"):
        ProcessScorer.from_arrays({**arrays, "values": arrays["values"][:5]}, metadata)


def searched_before(measured, start: int = 200) -> EarlierSearch:
    """Return what a search on other images has found: the same order, with noise of its own."""
    cells, accuracy, macs = measured
    scores = efficiency_score(accuracy, macs, 0.1)[start:]
    values = 3 * scores + 0.01 * np.random.default_rng(1).normal(size=len(scores))
    return EarlierSearch(cells[start:], (values - values.mean()) / values.std())


def test_few_cells_are_ranked_better_with_an_earlier_search_and_no_worse_with_one_of_chance(measured):
    cells, accuracy, macs = measured
    few, scores = Measured(accuracy[:10], macs[:10], 0.1), efficiency_score(accuracy, macs, 0.1)
    helpful = searched_before(measured)
    chance = EarlierSearch(helpful.cells, np.random.default_rng(2).permutation(helpful.values))
    taus = []
    for earlier in ((), (helpful,), (chance,), (chance, helpful)):
        scorer = fit_process(cells[:10], few, SPACE, "score", 1, earlier=earlier)
        taus.append(kendalltau(scorer.score(cells[10:200], None, 0.1), scores[10:200]).statistic)
    plain, helped, misled, both = taus
    assert helped > plain + 0.05 and both > plain and misled > plain - 0.1


def test_an_earlier_search_may_have_other_operations_and_sizes(measured):
    cells, accuracy, macs = measured
    other = sample_distinct_cells(CellsConfig(vertices=14, operations=("conv3x3", "dwconv3x3")), 30, 5)
    earlier = EarlierSearch(other, np.random.default_rng(0).normal(size=30))
    known = Measured(accuracy[:20], macs[:20], 0.1)
    scorer = fit_process(cells[:20], known, SPACE, "score", 1, earlier=(earlier, searched_before(measured)))
    assert set(scorer.earlier[0].cells.operation_names) == {*SPACE.operations, "conv3x3"}
    arrays, metadata = scorer.to_arrays()
    kept = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    again = ProcessScorer.from_arrays(load(kept), json.loads(json.dumps(metadata)))
    assert np.array_equal(again.score(cells, None, 0.1), scorer.score(cells, None, 0.1))
    without = {name: array for name, array in arrays.items() if name != "earlier1.standard.mean"}
    with pytest.raises(DataError, match="incomplete or of another version"):
        ProcessScorer.from_arrays(without, metadata)
