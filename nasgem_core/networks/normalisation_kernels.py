"""Batch normalisation with ReLU, and max-pooling, on the CPU, in the layout of `nasgem_core.networks.kernels`."""

import numpy as np

from nasgem_core.networks.kernels import Array, compiled, images_of

_SUMMED = 1024
"""Numbers summed in their own precision before the sum goes on in float64."""


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
        # Sums around one of the values lose no digits where the mean is large compared with the deviation.
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
        source, result = images_of(x[c], size, size, batch), images_of(out[c], half, half, batch)
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
        source, result = images_of(x[c], size, size, batch), images_of(x_gradient[c], size, size, batch)
        slopes, largests = images_of(gradient[c], half, half, batch), images_of(maxima[c], half, half, batch)
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
