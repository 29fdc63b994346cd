import itertools

import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import CellsConfig, EncoderConfig, PairsConfig, PredictorConfig
from nasgem_core.encoders.fitting import fit_encoder
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search import candidates as module
from nasgem_core.search.bootstrap import bootstrap, score_sample
from nasgem_core.search.objective import Objective, ProxyNetworks, objective_class
from nasgem_core.search.perceptron import fit_perceptron
from nasgem_core.search.scorer import EmbeddingScorer

CELLS = CellsConfig(vertices=4, edge_probability=(0.3, 0.7))


NETWORKS = ProxyNetworks(NetworkLayout(width=64, stages=(1, 2), stem_stride=1, image_size=16), 10)
OBJECTIVE = objective_class("macs").open("macs", NETWORKS, 0.1)


def macs_of(cells):
    return NETWORKS.complexity(cells).macs


class Vertices(Objective):
    """Charges vertices."""

    label, unit = "vertices", "tens"

    def costs(self, cells):
        return 10**5 * (cells.codes > 1).sum(axis=1, dtype=np.int64)


@pytest.fixture(scope="module")
def encoder():
    pairs = draw_pairs(CELLS, PairsConfig(count=100), 1)
    config = EncoderConfig(dimension=6, hidden=(16,), iterations=3, batch_size=32)
    return fit_encoder(pairs, wl_similarity(pairs.left, pairs.right, 2), config, 1)


@pytest.fixture(scope="module", params=["score", "accuracy"])
def predictor(encoder, request):
    cells = score_cells(12)
    accuracy = np.random.default_rng(3).uniform(0.3, 0.9, size=12)
    config = PredictorConfig(target=request.param, hidden=(8,), iterations=20, members=2)
    return fit_perceptron(encoder.embed(cells), OBJECTIVE.measured(cells, accuracy), config, 1)


def score_cells(count):
    return draw_pairs(CELLS, PairsConfig(count=100), 5).left[:count]


def search(encoder, predictor, count=20_000, top=5, seed=0, objective=OBJECTIVE, **options):
    return bootstrap(EmbeddingScorer(encoder, predictor), CELLS, objective, count=count, top=top, seed=seed, **options)


def every_cell():
    slots = list(itertools.combinations(range(4), 2))
    cells = set()
    for bits in itertools.product((0, 1), repeat=len(slots)):
        adjacency = np.zeros((4, 4), dtype=np.uint8)
        for (u, v), bit in zip(slots, bits, strict=True):
            adjacency[u, v] = bit
        if adjacency[0].any():
            for names in itertools.product(CELLS.operations, repeat=3):
                cells.add(Cell.pruned(adjacency, ("input", *names)))
    return CellBatch.from_cells(list(cells), CELLS.operations, width=4)


def best_by_brute_force(cells, predicted, top):
    best: dict[str, float] = {}
    for key, score in zip(cells.keys, predicted.tolist(), strict=True):
        best[key] = max(score, best.get(key, -np.inf))
    return sorted(best.items(), key=lambda item: -item[1])[:top]


def test_it_finds_the_best_cells_of_a_space_that_can_be_enumerated(encoder, predictor):
    cells = every_cell()
    expected = best_by_brute_force(cells, predictor.predict(encoder.embed(cells), macs_of(cells), 0.1), 5)
    found = search(encoder, predictor)
    np.testing.assert_allclose(found.predicted, [score for _, score in expected], rtol=1e-5)
    assert set(found.keys) == {key for key, _ in expected}
    assert found.cells.keys == list(found.keys)
    assert np.array_equal(found.macs, macs_of(found.cells))


def test_trained_cells_are_left_out(encoder, predictor):
    first = search(encoder, predictor, top=8)
    second = search(encoder, predictor, top=5, exclude_keys=first.keys[:3])
    assert second.keys == first.keys[3:]
    with pytest.raises(DataError, match=r"all 300 sampled cells have been trained already: raise bootstrap.candidates"):
        search(encoder, predictor, count=300, exclude_keys=every_cell().keys)


def test_no_cell_comes_twice_and_a_small_space_gives_fewer(encoder, predictor):
    found = search(encoder, predictor, top=10_000)
    assert len(found.keys) == len(set(found.keys)) == len(found.cells) == len(set(every_cell().keys))
    assert (np.diff(found.predicted) <= 0).all()


def test_boundaries_of_chunks_do_not_show(encoder, predictor, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 16)
    sample = score_sample(encoder, predictor, CELLS, OBJECTIVE, count=100, seed=4)
    expected = best_by_brute_force(sample.cells, sample.predicted, 7)
    found = search(encoder, predictor, count=100, top=7, seed=4)
    assert found.predicted.tolist() == [score for _, score in expected]
    assert set(found.keys) == {key for key, _ in expected}
    assert found.sampled == 100
    assert found.score_counts.sum() == 100
    assert found.score_mean == pytest.approx(sample.predicted.mean())
    inside = np.histogram(sample.predicted, found.score_edges)[0]
    assert np.array_equal(found.score_counts[1:-1], inside[1:-1])
    assert (found.score_counts >= inside).all()
    shorter = score_sample(encoder, predictor, CELLS, OBJECTIVE, count=70, seed=4)
    assert np.array_equal(shorter.cells.adjacency, sample.cells.adjacency[:70])
    assert np.array_equal(shorter.embeddings, encoder.embed(shorter.cells))


def test_it_repeats_and_reports_progress(encoder, predictor, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 128)
    calls = []
    first = search(encoder, predictor, count=300, on_progress=lambda done, figures: calls.append((done, figures)))
    second = search(encoder, predictor, count=300)
    assert first.keys == second.keys and first.predicted.tobytes() == second.predicted.tobytes()
    assert [done for done, _ in calls] == [128, 256, 300]
    assert calls[-1][1]["best_predicted"] == pytest.approx(float(first.predicted[0]))
    draws = [score_sample(encoder, predictor, CELLS, OBJECTIVE, count=50, seed=seed) for seed in (0, 1)]
    assert not np.array_equal(draws[0].cells.adjacency, draws[1].cells.adjacency)


def test_numbers_out_of_range_are_refused(encoder, predictor):
    with pytest.raises(ParameterError, match=r"bootstrap.top = 0: must be at least 1"):
        search(encoder, predictor, top=0)
    with pytest.raises(ParameterError, match=r"bootstrap.candidates = 0: must be at least 1"):
        search(encoder, predictor, count=0)


def test_the_score_may_charge_something_else_than_multiply_adds(encoder, predictor):
    vertices, budget = Vertices("vertices", NETWORKS, 0.1), int(np.median(macs_of(every_cell())))
    found = search(encoder, predictor, objective=vertices, max_macs=budget)
    assert (found.macs <= budget).all() and np.array_equal(found.macs, macs_of(found.cells))
    expected = EmbeddingScorer(encoder, predictor).score(found.cells, vertices.costs(found.cells), 0.1)
    np.testing.assert_allclose(found.predicted, expected, rtol=1e-5)
