import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.pareto import draw_pareto


def test_the_figure_shows_every_cell_under_its_origin_and_the_chosen_one():
    macs = np.array([10e6, 20e6, 40e6, 80e6, 30e6])
    accuracy = np.array([0.40, 0.45, 0.44, 0.50, np.nan])
    figure = draw_pareto(macs, accuracy, ["random", "predicted", "random", "predicted", "random"], 0.1, chosen=1)
    ax = figure.axes[0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["random (2)", "predicted (2)", "Pareto front", "chosen cell"]
    random, predicted, star = ax.collections
    np.testing.assert_allclose(random.get_offsets(), [[10, 0.40], [40, 0.44]])
    np.testing.assert_allclose(predicted.get_offsets(), [[20, 0.45], [80, 0.50]])
    np.testing.assert_allclose(star.get_offsets(), [[20, 0.45]])
    assert ax.get_title(loc="left") == "4 trained cells; 1 failed training left out"


def test_lines_of_equal_score_follow_the_penalty():
    figure = draw_pareto(np.array([5e6, 500e6]), np.array([0.3, 0.6]), ["a", "b"], 0.1)
    assert figure.axes[0].get_xlabel() == "MACs (millions, log scale)"
    front, *lines = figure.axes[0].lines
    assert front.get_label() == "Pareto front"
    assert len(lines) >= 3
    scores = []
    for line in lines:
        x, y = line.get_data()
        score = np.asarray(y) - 0.1 * np.log10(x)
        np.testing.assert_allclose(score, score[0])
        scores.append(float(score[0]))
    written = [text.get_text().replace("\N{MINUS SIGN}", "-").split()[1] for text in figure.axes[0].texts]
    assert written
    assert all(any(abs(float(word) - score) < 1e-6 for score in scores) for word in written)


def test_the_axis_has_the_words_of_what_the_score_charges():
    figure = draw_pareto(np.array([5e6, 5e8]), np.array([0.3, 0.6]), ["a", "b"], 0.1, words="latency (ms, log scale)")
    assert figure.axes[0].get_xlabel() == "latency (ms, log scale)"


@pytest.mark.parametrize(("accuracy", "penalty"), [([], 0.1), ([0.4], 0.0), ([np.nan], 0.1), ([0.4, 0.4], 0.1)])
def test_few_or_failed_cells_give_a_figure(accuracy, penalty):
    count = len(accuracy)
    chosen = 0 if count else None
    figure = draw_pareto(np.full(count, 3e6), np.array(accuracy), ["random"] * count, penalty, chosen=chosen)
    assert figure_png(figure, dpi=30)


def test_columns_of_different_length_are_refused():
    with pytest.raises(DataError, match="2 costs, 1 accuracies and 2 origins"):
        draw_pareto(np.ones(2), np.ones(1), ["a", "b"], 0.1)
