import itertools

import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.progress import best_of_random, best_so_far, draw_progress, draw_rounds


def test_best_so_far_passes_over_failed_trainings():
    found = best_so_far(np.array([np.nan, 0.2, 0.1, np.nan, 0.3]))
    np.testing.assert_array_equal(found, [np.nan, 0.2, 0.2, 0.2, 0.3])


def test_best_of_random_is_the_mean_over_every_order():
    scores = np.array([0.3, 0.1, 0.4, 0.1, 0.5, 0.9])
    curves = np.array([np.maximum.accumulate(order) for order in itertools.permutations(scores)])
    mean, low, high = best_of_random(scores)
    np.testing.assert_allclose(mean, curves.mean(axis=0))
    np.testing.assert_allclose(low, np.quantile(curves, 0.05, axis=0, method="inverted_cdf"))
    np.testing.assert_allclose(high, np.quantile(curves, 0.95, axis=0, method="inverted_cdf"))


def test_best_of_many_random_cells_stays_finite():
    scores = np.random.default_rng(0).random(1500)
    mean, low, high = best_of_random(scores)
    assert mean[0] == pytest.approx(scores.mean())
    assert mean[-1] == low[-1] == high[-1] == scores.max()
    assert (np.diff(mean) > -1e-9).all()


def test_the_search_is_drawn_in_order_with_its_phases():
    search = np.array([0.1, 0.3, 0.2, 0.4])
    figure = draw_progress(search, np.array([0.2, np.nan, 0.1]), ["round 0", "round 0", "round 1", "bootstrap"])
    ax = figure.axes[0]
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_array_equal(lines["search, best so far"], [0.1, 0.3, 0.3, 0.4])
    np.testing.assert_allclose(lines["random search, mean of all orders"], [0.15, 0.2])
    assert [text.get_text() for text in ax.texts] == ["round 0", "round 1", "bootstrap"]
    words = "search: 4 cells, random search: 3 cells; 1 failed training left out"
    assert ax.get_title(loc="left") == words
    alone = draw_progress(search, np.zeros(0)).axes[0]
    assert alone.get_title(loc="left") == "search: 4 cells"


def test_phases_must_fit_the_cells():
    with pytest.raises(DataError, match="1 phases for 2 cells"):
        draw_progress(np.zeros(2), np.zeros(0), ["round 0"])


@pytest.mark.parametrize(("search", "baseline"), [([], []), ([0.4], [np.nan]), ([np.nan], [0.4]), ([np.nan, 0.4], [])])
def test_few_or_failed_cells_give_a_progress_figure(search, baseline):
    assert figure_png(draw_progress(np.array(search), np.array(baseline)), dpi=30)


def test_rounds_state_tau_over_the_cells_that_were_measured():
    predicted = [np.array([1.0, 2.0, 3.0, 9.0]), np.array([1.0])]
    measured = [np.array([1.0, 3.0, 2.0, np.nan]), np.array([2.0])]
    figure = draw_rounds(predicted, measured, ["round 1", "round 2"])
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["round 1: Kendall τ +0.33, n = 3", "round 2: n = 1, too few for Kendall τ"]
    np.testing.assert_array_equal(figure.axes[0].collections[0].get_offsets(), [[1, 1], [2, 3], [3, 2]])


@pytest.mark.parametrize("rounds", [0, 1, 5])
def test_any_number_of_rounds_gives_a_figure(rounds):
    values = [np.array([0.1, 0.2])] * rounds
    figure = draw_rounds(values, [np.full(2, np.nan)] * rounds, [f"round {i}" for i in range(rounds)])
    assert sum(ax.get_visible() for ax in figure.axes) == max(rounds, 1)
    assert figure_png(figure, dpi=30)


def test_rounds_of_different_number_are_refused():
    with pytest.raises(DataError, match="1 predictions, 0 measurements, 1 names"):
        draw_rounds([np.zeros(1)], [], ["round 1"])
