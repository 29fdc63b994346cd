import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.similarity import binned_mean, draw_similarity, pair_values, similarity_correlations


def trained(cells: int = 12):
    random = np.random.default_rng(1)
    return random.normal(size=(cells, 5)), random.random(cells)


def test_pairs_are_all_pairs_of_scored_cells():
    embeddings, scores = trained()
    scores[4] = np.nan
    similarity, difference = pair_values(embeddings, scores)
    expected = [
        (a @ b / np.sqrt((a @ a) * (b @ b)), abs(s - t))
        for i, (a, s) in enumerate(zip(embeddings, scores, strict=True))
        for b, t in zip(embeddings[i + 1 :], scores[i + 1 :], strict=True)
        if s == s and t == t
    ]
    assert len(similarity) == 11 * 10 // 2
    np.testing.assert_allclose(np.stack([similarity, difference], axis=1), expected)


def test_correlations_agree_with_scipy_on_ties():
    embeddings, scores = trained(15)
    scores = scores.round(1)
    similarity, difference = pair_values(embeddings, scores)
    found = similarity_correlations(embeddings, scores)
    assert found["spearman"] == pytest.approx(spearmanr(similarity, difference).statistic)
    assert found["pearson"] == pytest.approx(pearsonr(similarity, difference).statistic)
    assert (found["cells"], found["pairs"]) == (15, 105)


@pytest.mark.parametrize("cells", [0, 2])
def test_too_few_cells_have_no_correlation_and_still_a_figure(cells):
    embeddings, scores = trained(cells)
    assert np.isnan(similarity_correlations(embeddings, scores)["spearman"])
    assert figure_png(draw_similarity(embeddings, embeddings, {"score": scores}), dpi=30)


def test_a_zero_embedding_is_similar_to_nothing():
    similarity, _ = pair_values(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0.1, 0.2]))
    assert similarity.tolist() == [0.0]


def test_bins_hold_equal_counts():
    x, y = np.array([3.0, 1.0, 2.0, 4.0]), np.array([30.0, 10.0, 20.0, 40.0])
    centre, mean = binned_mean(x, y, 2)
    assert centre.tolist() == [1.5, 3.5]
    assert mean.tolist() == [15.0, 35.0]
    assert len(binned_mean(x[:1], y[:1], 5)[0]) == 1


def test_the_figure_states_correlations_counts_and_failures():
    embeddings, scores = trained()
    scores[0] = np.nan
    accuracies = scores**2
    figure = draw_similarity(embeddings, embeddings[:, ::-1] ** 3, {"score": scores, "accuracy": accuracies})
    left, right, *below = figure.axes
    assert left.get_ylabel().endswith("score") and below[0].get_ylabel().endswith("accuracy")
    assert (
        left.get_title(loc="left")
        == "kernel-guided embedding\n55 pairs of 11 trained cells; 1 failed training left out"
    )
    sides = (embeddings, embeddings[:, ::-1] ** 3)
    values = (scores, scores, accuracies, accuracies)
    for ax, vectors, measured in zip((left, right, *below), sides * 2, values, strict=True):
        value = similarity_correlations(vectors, measured)["spearman"]
        words = ax.get_legend().get_texts()[0].get_text().replace("\N{MINUS SIGN}", "-")
        assert words == f"pair of cells, Spearman {value:+.2f}"
        assert len(ax.collections[0].get_offsets()) == 55
