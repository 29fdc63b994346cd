"""Neighbourhoods of pixels on the CPU, in the layout of `nasgem_core.networks.kernels`: depthwise and full 3x3."""

import numpy as np

from nasgem_core.networks.kernels import Array, compiled, images_of


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
        source, result = images_of(x[rows[k]], size, size, batch), images_of(out[k], last - first, size, batch)
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
        source, target = images_of(x[rows[k]], size, size, batch), images_of(x_gradient[rows[k]], size, size, batch)
        slope = images_of(gradient[k], last - first, size, batch)
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
        source = images_of(x[rows[k]], size, size, batch)
        for tap in range(9):
            result = images_of(out[9 * k + tap], last - first, width, batch)
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
        target = images_of(x_gradient[rows[k]], size, size, batch)
        for tap in range(9):
            slopes = images_of(gradient[9 * k + tap], last - first, size, batch)
            for h in range(first, last):
                target_h = h + tap // 3 - 1
                for w in range(size):
                    target_w = w + tap % 3 - 1
                    if 0 <= target_h < size and 0 <= target_w < size:
                        slope = slopes[h - first, w]
                        for b in range(batch):
                            target[target_h, target_w, b] += slope[b]
