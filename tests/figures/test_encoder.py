import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.figures.ablation import draw_ablation
from nasgem_core.figures.encoder import draw_losses, draw_pair_histogram, draw_similarity_fit, r_squared
from nasgem_core.figures.image import figure_png


def test_r_squared_of_a_perfect_a_constant_and_a_worse_guess():
    target = np.array([0.0, 1.0, 2.0])
    assert r_squared(target, target) == 1
    assert r_squared(target, np.full(3, 1.0)) == 0
    assert r_squared(target, target[::-1]) == -3
    assert np.isnan(r_squared(np.ones(3), target))
    assert np.isnan(r_squared(np.zeros(0), np.zeros(0)))


def test_the_fit_states_its_r_squared_and_drops_what_is_not_finite():
    kernel = np.array([0.0, 0.5, 1.0, np.nan])
    figure = draw_similarity_fit(kernel, np.array([0.1, 0.5, 0.9, 0.3]))
    assert figure.axes[0].get_title(loc="left") == "3 held-out pairs, R² = 0.960"


def test_fit_of_different_lengths_is_refused():
    with pytest.raises(DataError, match="2 kernel similarities and 3 cosine similarities"):
        draw_similarity_fit(np.zeros(2), np.zeros(3))


def test_a_large_scatter_draws_a_choice_and_counts_all():
    values = np.linspace(0, 1, 30_000)
    ax = draw_similarity_fit(values, values).axes[0]
    assert len(ax.collections[0].get_offsets()) == 20_000
    assert ax.get_title(loc="left").startswith("30,000 held-out pairs")


def test_the_histogram_counts_every_pair_once():
    figure = draw_pair_histogram({"independent": np.array([0.0, 0.5, 1.0]), "edited copy": np.array([0.5, np.nan])})
    ax = figure.axes[0]
    assert sum(patch.get_height() for patch in ax.patches) == 4
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["independent (3)", "edited copy (1)"]


def test_splits_of_a_loss_share_a_panel():
    curve = np.array([1.0, 0.5])
    losses = {"similarity/training": curve, "similarity/held-out": curve * 2, "reconstruction": curve}
    figure = draw_losses(np.array([0, 10]), losses)
    assert [(ax.get_title(loc="left"), len(ax.lines)) for ax in figure.axes] == [
        ("similarity", 2),
        ("reconstruction", 1),
    ]


@pytest.mark.parametrize(
    "figure",
    [
        lambda: draw_pair_histogram({"independent": np.zeros(0)}),
        lambda: draw_similarity_fit(np.zeros(0), np.zeros(0)),
        lambda: draw_similarity_fit(np.ones(1), np.ones(1)),
        lambda: draw_losses(np.arange(2), {"similarity": np.full(2, np.nan)}),
        lambda: draw_losses(np.arange(1), {"similarity": np.ones(1), "reconstruction": np.zeros(1)}),
        lambda: draw_ablation(np.zeros(0), {}),
        lambda: draw_ablation(np.arange(1), {(10, 8): np.full(1, 0.1), (30, 16): np.full(1, np.nan)}),
    ],
)
def test_little_or_nothing_gives_a_figure(figure):
    assert figure_png(figure(), dpi=30)


LOSSES = {(n, d): np.array([n / 100, d / 1000]) for n in (10, 30, 50) for d in (8, 16)}


@pytest.mark.parametrize(
    ("panel", "titles", "labels"),
    [
        ("dimension", ["dimension d = 8", "dimension d = 16"], ["10", "30", "50"]),
        ("vertices", ["vertices n = 10", "vertices n = 30", "vertices n = 50"], ["8", "16"]),
    ],
)
def test_ablation_has_a_panel_and_a_line_for_each_value(panel, titles, labels):
    figure = draw_ablation(np.array([1, 2]), LOSSES, panel=panel, pairs=5000)
    assert [ax.get_title(loc="left") for ax in figure.axes] == titles
    for ax in figure.axes:
        assert [line.get_label() for line in ax.lines] == labels
        assert ax.get_yscale() == "log"
        for line in ax.lines:
            value = int(ax.get_title(loc="left").split()[-1])
            key = (int(line.get_label()), value) if panel == "dimension" else (value, int(line.get_label()))
            np.testing.assert_array_equal(line.get_ydata(), LOSSES[key])
    assert "5,000 pairs" in figure.get_suptitle()


def test_ablation_shows_what_a_constant_guess_gets():
    figure = draw_ablation(np.array([1, 2]), LOSSES, constant={key: 0.01 * key[0] for key in LOSSES})
    for ax in figure.axes:
        dotted = [line.get_ydata().tolist() for line in ax.lines if line.get_linestyle() == ":"]
        assert dotted == [[0.1, 0.1], [0.3, 0.3], [0.5, 0.5]]
    legend = figure.legends[0]
    assert legend.get_title().get_text() == "vertices n (dotted: a constant guess)"
    assert [text.get_text() for text in legend.get_texts()] == ["10", "30", "50"]


def test_the_same_losses_give_the_same_bytes():
    first, second = (figure_png(draw_ablation(np.array([1, 2]), {(10, 8): LOSSES[10, 8]}), dpi=40) for _ in range(2))
    assert first == second
