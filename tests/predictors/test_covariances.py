import numpy as np
import pytest
import torch
from scipy.stats import norm as normal
from scipy.stats import qmc
from sklearn.gaussian_process.kernels import RationalQuadratic

from nasgem_core.predictors.covariances import arc_cosine, rational_quadratic

LEFT, RIGHT = (torch.randn(n, 4, generator=torch.Generator().manual_seed(n), dtype=torch.float64) for n in (5, 6))


def covariance(function, left, right) -> torch.Tensor:
    return function(left @ right.T, left.square().sum(1), right.square().sum(1))


def test_rational_quadratic_is_that_of_scikit_learn():
    expected = RationalQuadratic(length_scale=1, alpha=1)(LEFT.numpy(), RIGHT.numpy())
    assert covariance(rational_quadratic, LEFT, RIGHT).numpy() == pytest.approx(expected)


def test_arc_cosine_is_that_of_a_wide_network():
    # Unit by unit a layer is a Gaussian vector with the covariance below it; 2 E[relu relu] is the next covariance.
    points = normal.ppf(qmc.Sobol(2, seed=0).random(2**16))
    found = covariance(arc_cosine, LEFT, RIGHT)
    for i in range(3):
        x, y = LEFT[i], RIGHT[i]
        below = np.array([[x @ x, x @ y], [x @ y, y @ y]])
        for layer in range(3):
            units = np.maximum(points @ np.linalg.cholesky(below + (0.3 if layer else 0.0)).T, 0)
            below = 2 * units.T @ units / len(units)
        assert float(found[i, i]) == pytest.approx(below[0, 1], rel=2e-3)


def test_arc_cosine_keeps_squared_norms_up_to_the_bias():
    found = covariance(arc_cosine, LEFT, LEFT).diagonal()
    assert torch.allclose(found, LEFT.square().sum(1) + 2 * 0.3, rtol=1e-4)


@pytest.mark.parametrize("function", [rational_quadratic, arc_cosine])
def test_covariances_have_finite_gradients_and_no_negative_eigenvalue(function):
    points = LEFT.clone().requires_grad_()
    kernel = covariance(function, points, points)
    assert torch.linalg.eigvalsh(kernel).min() > -1e-6
    kernel.sum().backward()
    assert points.grad is not None and points.grad.isfinite().all() and points.grad.abs().sum() > 0
