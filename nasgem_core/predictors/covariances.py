"""Covariance functions of inner products and squared norms.

Both leave their scale to the amplitude that the process learns: at a point itself the rational quadratic is 1, and the
arc-cosine is the squared norm (plus a bias from the second layer on).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

_LAYERS = 3
_BIAS = 0.3

Covariance = Callable[[Tensor, Tensor, Tensor], Tensor]


def rational_quadratic(inner: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return 1 / (1 + d^2 / 2) [A, B] from inner products [A, B] and squared norms [A], [B]; d is the distance."""
    squared = left[:, None] + right - 2 * inner
    return 1 / (1 + 0.5 * torch.clamp(squared, min=0))


def arc_cosine(inner: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return the covariance of a random network of three wide ReLU layers (Cho and Saul 2009), degree 1, [A, B].

    A layer maps the inner product of two inputs at the angle a to |x| |y| (sin a + (pi - a) cos a) / pi, which leaves
    squared norms as they are; between layers a bias of variance 0.3 is added.
    """
    for layer in range(_LAYERS):
        if layer:
            inner, left, right = inner + _BIAS, left + _BIAS, right + _BIAS
        norms = torch.sqrt(left[:, None] * right)
        # At an angle of 0 the derivative of the arc cosine is infinite.
        cosine = torch.clamp(inner / norms, -1 + 1e-6, 1 - 1e-6)
        angle = torch.acos(cosine)
        inner = norms * (torch.sqrt(1 - cosine**2) + (math.pi - angle) * cosine) / math.pi
    return inner


COVARIANCES: dict[str, Covariance] = {"rational_quadratic": rational_quadratic, "arc_cosine": arc_cosine}
