"""Single-threaded CPU kernels on feature maps of layout [channels, height, width, batch].

With the batch innermost every loop below runs over neighbouring numbers whatever the resolution, a channel is one
contiguous row (so a 1x1 convolution is a matrix product and a concatenation is a set of rows), and the borders of an
image cost nothing: a neighbour outside gets weight 0.

Arrays are [channels, row]: a row begins with its height * width * batch numbers and may go on with unused ones, since
rows at a distance of a power of two would fall on the same places of the cache. Images are square, H is `size`, B is
`batch`. `first` and `last` bound the image rows that a call works on, so that what it writes stays in
the cache until the matrix product that follows has read it.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

Array = np.ndarray
# Everything but the assumption that numbers are finite: a diverged training must show as nan.
_FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
_SUMMED = 1024
"""Numbers summed in their own precision before the sum goes on in float64."""


def compiled(function: Callable[..., Any]) -> Any:
    """Compile at the first call and keep the machine code beside the module, or in memory where that is read-only."""
    try:
        return numba.njit(nogil=True, fastmath=_FASTMATH, error_model="numpy", cache=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True, fastmath=_FASTMATH, error_model="numpy")(function)


@compiled
def _images(row: Array, height: int, width: int, batch: int) -> Array:
    """Return the used part of a row as [height, width, batch]."""
    return row[: height * width * batch].reshape((height, width, batch))


@compiled
def _border_weights(weight: Array, row: int, column: int, above: int, below: int, size: int) -> tuple[float, ...]:
    """Return the 9 weights of the neighbours of a pixel, 0 for those outside rows [above, below) and the columns."""
    zero = weight.dtype.type(0)
    up, middle, down = above < row <= below, above <= row < below, above - 1 <= row < below - 1
    left, right = column > 0, column < size - 1
    return (
        weight[0] if up and left else zero,
        weight[1] if up else zero,
        weight[2] if up and right else zero,
        weight[3] if middle and left else zero,
        weight[4] if middle else zero,
        weight[5] if middle and right else zero,
        weight[6] if down and left else zero,
        weight[7] if down else zero,
        weight[8] if down and right else zero,
    )


@compiled
def depthwise(x: Array, size: int, batch: int, rows: Array, weight: Array, first: int, last: int, out: Array) -> None:
    """Write the 3x3 depthwise convolution, by weight [K, 9], of channels `rows` of x to the K rows of `out`.

    `out` has image rows first to last only.
    """
    for k in range(len(rows)):
        source, result = _images(x[rows[k]], size, size, batch), _images(out[k], last - first, size, batch)
        for h in range(first, last):
            for w in range(size):
                w0, w1, w2, w3, w4, w5, w6, w7, w8 = _border_weights(weight[k], h, w, 0, size, size)
                up, down, left, right = max(h - 1, 0), min(h + 1, size - 1), max(w - 1, 0), min(w + 1, size - 1)
                target = result[h - first, w]
                for b in range(batch):
                    target[b] = (
                        w0 * source[up, left, b]
                        + w1 * source[up, w, b]
                        + w2 * source[up, right, b]
                        + w3 * source[h, left, b]
                        + w4 * source[h, w, b]
                        + w5 * source[h, right, b]
                        + w6 * source[down, left, b]
                        + w7 * source[down, w, b]
                        + w8 * source[down, right, b]
                    )


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
    x_gradient: Array,
    weight_gradient: Array,
) -> None:
    """Add both gradients of `depthwise`: to channels `rows` of x_gradient and to weight_gradient [K, 9].

    `gradient` is that of what `depthwise` wrote, in the same form.
    """
    zero = weight.dtype.type(0)
    flipped = np.empty(9, weight.dtype)
    for k in range(len(rows)):
        source, target = _images(x[rows[k]], size, size, batch), _images(x_gradient[rows[k]], size, size, batch)
        slope = _images(gradient[k], last - first, size, batch)
        for tap in range(9):
            flipped[tap] = weight[k, 8 - tap]
        for h in range(max(first - 1, 0), min(last + 1, size)):
            # Rows of the gradient above, at and below this one, kept inside the part at hand.
            up = min(max(h - 1, first), last - 1) - first
            middle = min(max(h, first), last - 1) - first
            down = min(max(h + 1, first), last - 1) - first
            for w in range(size):
                w0, w1, w2, w3, w4, w5, w6, w7, w8 = _border_weights(flipped, h, w, first, last, size)
                left, right = max(w - 1, 0), min(w + 1, size - 1)
                s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = zero
                for b in range(batch):
                    value = source[h, w, b]
                    g0, g1, g2 = slope[up, left, b], slope[up, w, b], slope[up, right, b]
                    g3, g4, g5 = slope[middle, left, b], slope[middle, w, b], slope[middle, right, b]
                    g6, g7, g8 = slope[down, left, b], slope[down, w, b], slope[down, right, b]
                    target[h, w, b] += (
                        w0 * g0 + w1 * g1 + w2 * g2 + w3 * g3 + w4 * g4 + w5 * g5 + w6 * g6 + w7 * g7 + w8 * g8
                    )
                    s0 += value * g0
                    s1 += value * g1
                    s2 += value * g2
                    s3 += value * g3
                    s4 += value * g4
                    s5 += value * g5
                    s6 += value * g6
                    s7 += value * g7
                    s8 += value * g8
                above, at, below = first < h <= last, first <= h < last, first - 1 <= h < last - 1
                inner_left, inner_right = w > 0, w < size - 1
                weight_gradient[k, 8] += s0 if above and inner_left else zero
                weight_gradient[k, 7] += s1 if above else zero
                weight_gradient[k, 6] += s2 if above and inner_right else zero
                weight_gradient[k, 5] += s3 if at and inner_left else zero
                weight_gradient[k, 4] += s4 if at else zero
                weight_gradient[k, 3] += s5 if at and inner_right else zero
                weight_gradient[k, 2] += s6 if below and inner_left else zero
                weight_gradient[k, 1] += s7 if below else zero
                weight_gradient[k, 0] += s8 if below and inner_right else zero


@compiled
def patches(
    x: Array, size: int, batch: int, rows: Array, stride: int, first: int, last: int, width: int, out: Array
) -> None:
    """Write the 3x3 neighbourhoods, `stride` apart, of channels `rows` of x to the 9 K rows of `out`.

    `out` has rows first to last, `width` wide, of the resulting image.
    """
    zero = x.dtype.type(0)
    for k in range(len(rows)):
        source = _images(x[rows[k]], size, size, batch)
        for tap in range(9):
            result = _images(out[9 * k + tap], last - first, width, batch)
            for h in range(first, last):
                source_h = h * stride + tap // 3 - 1
                for w in range(width):
                    source_w = w * stride + tap % 3 - 1
                    target = result[h - first, w]
                    if 0 <= source_h < size and 0 <= source_w < size:
                        for b in range(batch):
                            target[b] = source[source_h, source_w, b]
                    else:
                        for b in range(batch):
                            target[b] = zero


@compiled
def patches_backward(
    gradient: Array, first: int, last: int, size: int, batch: int, rows: Array, x_gradient: Array
) -> None:
    """Add the gradient of what `patches` wrote at stride 1 to channels `rows` of x_gradient."""
    for k in range(len(rows)):
        target = _images(x_gradient[rows[k]], size, size, batch)
        for tap in range(9):
            slopes = _images(gradient[9 * k + tap], last - first, size, batch)
            for h in range(first, last):
                target_h = h + tap // 3 - 1
                for w in range(size):
                    target_w = w + tap % 3 - 1
                    if 0 <= target_h < size and 0 <= target_w < size:
                        slope = slopes[h - first, w]
                        for b in range(batch):
                            target[target_h, target_w, b] += slope[b]


@compiled
def normalise(
    y: Array,
    count: int,
    scale: Array,
    offset: Array,
    epsilon: float,
    momentum: float,
    running_mean: Array,
    running_variance: Array,
    out: Array,
    statistics: Array,
) -> None:
    """Write ReLU of the batch normalisation of y to `out`, and each channel's mean and 1/std to `statistics`.

    `count` numbers of each row are used. `statistics` is [2, C] float64; `scale` and `offset` [C] are the learned
    gamma and beta. The running statistics [C] move by `momentum` towards those of y, the variance in unbiased form.
    """
    mean, inverse_std = statistics[0], statistics[1]
    for c in range(y.shape[0]):
        values, target = y[c][:count], out[c][:count]
        # Sums around one of the values lose no digits where the mean is large beside the deviation.
        pivot = values[0]
        total = squares = 0.0
        for start in range(0, count, _SUMMED):
            part = part_squares = y.dtype.type(0)
            for i in range(start, min(start + _SUMMED, count)):
                difference = values[i] - pivot
                part += difference
                part_squares += difference * difference
            total += part
            squares += part_squares
        shift = total / count
        variance = max(squares / count - shift * shift, 0.0)
        mean[c] = pivot + shift
        inverse_std[c] = 1 / np.sqrt(variance + epsilon)
        running_mean[c] += momentum * (mean[c] - running_mean[c])
        running_variance[c] += momentum * (variance * count / max(count - 1, 1) - running_variance[c])
        _scale_relu(values, scale[c] * inverse_std[c], offset[c] - mean[c] * scale[c] * inverse_std[c], target)


@compiled
def _scale_relu(values: Array, factor: float, offset: float, out: Array) -> None:
    zero = values.dtype.type(0)
    factor, offset = values.dtype.type(factor), values.dtype.type(offset)
    for i in range(len(values)):
        value = factor * values[i] + offset
        out[i] = zero if value <= zero else value


@compiled
def normalise_frozen(
    y: Array,
    count: int,
    scale: Array,
    offset: Array,
    epsilon: float,
    running_mean: Array,
    running_variance: Array,
    out: Array,
    statistics: Array,
) -> None:
    """Do what `normalise` does, with the running statistics in place of those of y."""
    mean, inverse_std = statistics[0], statistics[1]
    for c in range(y.shape[0]):
        mean[c] = running_mean[c]
        inverse_std[c] = 1 / np.sqrt(running_variance[c] + epsilon)
        _scale_relu(
            y[c][:count], scale[c] * inverse_std[c], offset[c] - mean[c] * scale[c] * inverse_std[c], out[c][:count]
        )


@compiled
def normalise_backward(
    gradient: Array,
    y: Array,
    count: int,
    scale: Array,
    offset: Array,
    statistics: Array,
    frozen: bool,
    scale_gradient: Array,
    offset_gradient: Array,
) -> None:
    """Turn the gradient of what `normalise` wrote into the gradient of y, in place.

    Writes the gradients of gamma and beta [C]. `frozen` is true where the statistics did not come from y.
    """
    mean, inverse_std = statistics[0], statistics[1]
    kind = y.dtype.type
    zero = kind(0)
    for c in range(y.shape[0]):
        values, slope = y[c][:count], gradient[c][:count]
        factor = kind(scale[c] * inverse_std[c])
        shift = kind(offset[c] - mean[c] * scale[c] * inverse_std[c])
        centre = kind(mean[c])
        total = product = 0.0
        for start in range(0, count, _SUMMED):
            part = part_product = zero
            for i in range(start, min(start + _SUMMED, count)):
                value, given = values[i], slope[i]
                passed = zero if factor * value + shift <= zero else given
                part += passed
                part_product += passed * (value - centre)
            total += part
            product += part_product
        offset_gradient[c] = total
        scale_gradient[c] = product * inverse_std[c]
        if frozen:
            total = product = 0.0
        slant = kind(product * inverse_std[c] ** 2 / count)
        level = kind(total / count)
        for i in range(count):
            value, given = values[i], slope[i]
            passed = zero if factor * value + shift <= zero else given
            slope[i] = factor * (passed - level - (value - centre) * slant)


@compiled
def max_pool(x: Array, size: int, batch: int, out: Array) -> None:
    """Write the 2x2 maxima of x to `out`, of half its height and width; an odd row or column is dropped."""
    half = size // 2
    for c in range(out.shape[0]):
        source, result = _images(x[c], size, size, batch), _images(out[c], half, half, batch)
        for h in range(half):
            for w in range(half):
                first, second = source[2 * h, 2 * w], source[2 * h, 2 * w + 1]
                third, fourth = source[2 * h + 1, 2 * w], source[2 * h + 1, 2 * w + 1]
                target = result[h, w]
                for i in range(batch):
                    target[i] = max(first[i], second[i], third[i], fourth[i])


@compiled
def max_pool_backward(gradient: Array, x: Array, size: int, batch: int, maxima: Array, x_gradient: Array) -> None:
    """Write the gradient of `max_pool` to x_gradient; of equal values the first one gets it.

    `gradient` is that of `maxima`, which `max_pool` wrote.
    """
    half = size // 2
    if 2 * half < size:
        x_gradient[:] = x.dtype.type(0)
    for c in range(gradient.shape[0]):
        source, result = _images(x[c], size, size, batch), _images(x_gradient[c], size, size, batch)
        slopes, largests = _images(gradient[c], half, half, batch), _images(maxima[c], half, half, batch)
        for h in range(half):
            for w in range(half):
                # One loop for each of the four pixels: a loop with one store compiles to vector instructions.
                slope, largest = slopes[h, w], largests[h, w]
                first, second = source[2 * h, 2 * w], source[2 * h, 2 * w + 1]
                third, fourth = source[2 * h + 1, 2 * w], source[2 * h + 1, 2 * w + 1]
                target = result[2 * h, 2 * w]
                for i in range(batch):
                    target[i] = slope[i] * (first[i] == largest[i])
                target = result[2 * h, 2 * w + 1]
                for i in range(batch):
                    target[i] = slope[i] * ((second[i] == largest[i]) & (first[i] != largest[i]))
                target = result[2 * h + 1, 2 * w]
                for i in range(batch):
                    earlier = (first[i] == largest[i]) | (second[i] == largest[i])
                    target[i] = slope[i] * ((third[i] == largest[i]) & ~earlier)
                target = result[2 * h + 1, 2 * w + 1]
                for i in range(batch):
                    earlier = (first[i] == largest[i]) | (second[i] == largest[i]) | (third[i] == largest[i])
                    target[i] = slope[i] * ((fourth[i] == largest[i]) & ~earlier)
