import numpy as np
import pytest
from scipy.stats import binned_statistic_2d

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.projection import principal_components
from nasgem_core.figures.surface import Surface, binned_mean_2d, draw_surface


def cloud(count: int = 400, dimension: int = 6) -> np.ndarray:
    random = np.random.default_rng(3)
    return random.normal(size=(count, dimension)) @ random.normal(size=(dimension, dimension)) + 4


def test_components_are_eigenvectors_of_the_covariance():
    points = cloud()
    found = principal_components(points, 3)
    values, vectors = np.linalg.eigh(np.cov(points.T))
    values, vectors = values[::-1], vectors[:, ::-1]
    np.testing.assert_allclose(np.abs((found.axes * vectors.T[:3]).sum(axis=1)), 1, atol=1e-9)
    np.testing.assert_allclose(found.explained, values[:3] / values.sum())
    np.testing.assert_allclose(found(points).var(axis=0, ddof=1), values[:3])
    assert (found.axes[np.arange(3), np.abs(found.axes).argmax(axis=1)] > 0).all()


def test_the_sign_does_not_depend_on_the_order_of_points():
    points = cloud()
    np.testing.assert_allclose(principal_components(points).axes, principal_components(points[::-1]).axes, atol=1e-9)


@pytest.mark.parametrize("points", [np.ones((1, 3)), np.ones((5, 1)), np.arange(6.0).reshape(6, 1)])
def test_degenerate_points_have_coordinates(points):
    found = principal_components(points)
    assert found(points).shape == (len(points), 2)
    assert np.isfinite(found.explained).all()


def test_tiles_hold_mean_values():
    points = cloud()[:, :2]
    values = points[:, 0] * 2 + 1
    x, y, mean = binned_mean_2d(points, values, 7)
    expected = binned_statistic_2d(points[:, 1], points[:, 0], values, bins=(y, x)).statistic
    np.testing.assert_allclose(mean, expected)
    assert np.isnan(mean).any()


def test_measured_and_chosen_cells_stand_at_their_projection():
    points = cloud()
    scores = np.array([0.3, np.nan, 0.5])
    figure = draw_surface(Surface(points, points[:, 0], points[:3], scores, points[9]), Surface(points, points[:, 1]))
    left, right = figure.axes[:2]
    project = principal_components(points)
    _, dots, star = left.collections
    np.testing.assert_allclose(dots.get_offsets(), project(points[[0, 2]]))
    np.testing.assert_allclose(star.get_offsets(), project(points[[9]]))
    assert left.get_title(loc="left") == "kernel-guided embedding, 400 sampled cells, 2 trained"
    assert f"({project.explained[0]:.0%} of variance)" in left.get_xlabel()
    assert len(right.collections) == 1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_or_failed_cells_give_a_figure(count):
    points = cloud(count)
    assert figure_png(
        draw_surface(Surface(points, np.full(count, 0.4)), Surface(points, np.full(count, np.nan))), dpi=30
    )
