"""Windows of any odd size on the CPU, in the layout of `nasgem_core.networks.kernels`: depthwise and maximum.

A window reaches `reach` pixels to each side; what lies outside the image takes no part. The 3x3 depthwise convolution,
which most searches need, has a faster kernel of its own in `nasgem_core.networks.convolution_kernels`.
"""

import numpy as np

from nasgem_core.networks.kernels import Array, compiled, images_of


@compiled
def depthwise(
    x: Array, size: int, batch: int, rows: Array, weight: Array, reach: int, first: int, last: int, out: Array
) -> None:
    """Write the depthwise convolution, by weight [K, window], of channels `rows` of x to the K rows of `out`.

    `out` has image rows first to last only.
    """
    side = 2 * reach + 1
    for k in range(len(rows)):
        source, result = images_of(x[rows[k]], size, size, batch), images_of(out[k], last - first, size, batch)
        for h in range(first, last):
            for w in range(size):
                target = result[h - first, w]
                target[:] = x.dtype.type(0)
                for i in range(max(h - reach, 0), min(h + reach + 1, size)):
                    for j in range(max(w - reach, 0), min(w + reach + 1, size)):
                        factor, values = weight[k, (i - h + reach) * side + j - w + reach], source[i, j]
                        for b in range(batch):
                            target[b] += factor * values[b]


@compiled
def depthwise_backward(
    gradient: Array,
    first: int,
    last: int,
    x: Array,
    size: int,
    batch: int,
    rows: Array,
    weight: Array,
    reach: int,
    x_gradient: Array,
    weight_gradient: Array,
) -> None:
    """Add both gradients of `depthwise`: to channels `rows` of x_gradient and to weight_gradient [K, window].

    `gradient` is that of what `depthwise` wrote, in the same form.
    """
    side = 2 * reach + 1
    for k in range(len(rows)):
        source, target = images_of(x[rows[k]], size, size, batch), images_of(x_gradient[rows[k]], size, size, batch)
        slopes = images_of(gradient[k], last - first, size, batch)
        for h in range(first, last):
            for w in range(size):
                slope = slopes[h - first, w]
                for i in range(max(h - reach, 0), min(h + reach + 1, size)):
                    for j in range(max(w - reach, 0), min(w + reach + 1, size)):
                        tap = (i - h + reach) * side + j - w + reach
                        factor, values, sums = weight[k, tap], source[i, j], target[i, j]
                        total = x.dtype.type(0)
                        for b in range(batch):
                            sums[b] += factor * slope[b]
                            total += values[b] * slope[b]
                        weight_gradient[k, tap] += total


@compiled
def max_pool(x: Array, size: int, batch: int, rows: Array, reach: int, first: int, last: int, out: Array) -> None:
    """Write the maximum of each window, one pixel apart, of channels `rows` of x to the K rows of `out`.

    `out` has image rows first to last only.
    """
    for k in range(len(rows)):
        source, result = images_of(x[rows[k]], size, size, batch), images_of(out[k], last - first, size, batch)
        for h in range(first, last):
            for w in range(size):
                target = result[h - first, w]
                target[:] = source[h, w]
                for i in range(max(h - reach, 0), min(h + reach + 1, size)):
                    for j in range(max(w - reach, 0), min(w + reach + 1, size)):
                        values = source[i, j]
                        for b in range(batch):
                            target[b] = max(target[b], values[b])


@compiled
def max_pool_backward(
    gradient: Array, first: int, last: int, x: Array, size: int, batch: int, rows: Array, reach: int, x_gradient: Array
) -> None:
    """Add the gradient of what `max_pool` wrote to channels `rows` of x_gradient; of equal values the first gets it."""
    zero = x.dtype.type(0)
    largest, open_slope = np.empty(batch, x.dtype), np.empty(batch, x.dtype)
    for k in range(len(rows)):
        source, target = images_of(x[rows[k]], size, size, batch), images_of(x_gradient[rows[k]], size, size, batch)
        slopes = images_of(gradient[k], last - first, size, batch)
        for h in range(first, last):
            for w in range(size):
                largest[:] = source[h, w]
                open_slope[:] = slopes[h - first, w]
                for i in range(max(h - reach, 0), min(h + reach + 1, size)):
                    for j in range(max(w - reach, 0), min(w + reach + 1, size)):
                        values = source[i, j]
                        for b in range(batch):
                            largest[b] = max(largest[b], values[b])
                for i in range(max(h - reach, 0), min(h + reach + 1, size)):
                    for j in range(max(w - reach, 0), min(w + reach + 1, size)):
                        values, sums = source[i, j], target[i, j]
                        for b in range(batch):
                            passed = open_slope[b] if values[b] == largest[b] else zero
                            sums[b] += passed
                            open_slope[b] -= passed
