"""Latency of GEMNet in its fast form, predicted for many choices of channels at once: a sum of what its parts take.

In the fast form (`nasgem_core.deployment.standalone.fast`) vertices with the same operation and the same predecessors
are one wider convolution, and a concatenation of just these copies nothing. So a group of such vertices takes a time of
its own (starting a kernel), a time for its multiply-adds and one for the numbers that it reads, all by its operation;
copying, adding and pooling take a time for each number; stem, head and classifier one for their multiply-adds; the rest
is a constant. `nasgem_core.search.latency_model` fits these times to measured networks. None of them is below 0, so a
wider network is never predicted to be faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from nasgem_core.backbones.frame import Frame
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.layout import IMAGE_CHANNELS, STEM_KERNEL
from nasgem_core.operations.registry import OPERATIONS

Channels = Sequence[int] | Sequence[np.ndarray] | np.ndarray
"""Channels of the stem and of a vertex in each stage; arrays that broadcast stand for many networks."""


@dataclass(frozen=True)
class GemnetLatency:
    """What the parts of GEMNet take on a device.

    Args:
        operations: K names of the operations that were measured.
        times: 3 K + 3 nanoseconds of what `latency_features` gives.
    """

    operations: tuple[str, ...] = field(default=(), metadata={"may_be_empty": True})
    times: tuple[float, ...] = field(default=(), metadata={"may_be_empty": True})

    def predict(self, cell: Cell, frame: Frame, channels: Channels) -> np.ndarray:
        """Return nanoseconds of the networks of a cell, of the shape that `channels` broadcasts to."""
        features = latency_features(cell, frame, channels, self.operations)
        return sum((time * value for time, value in zip(self.times, features, strict=True)), np.zeros(()))


NO_LATENCY = GemnetLatency()
"""Where no latency is needed."""


def latency_features(cell: Cell, frame: Frame, channels: Channels, names: Sequence[str]) -> list[np.ndarray]:
    """Return what takes time: for each operation groups, millions of multiply-adds and of read numbers, then the rest.

    Args:
        cell: the graph, whose operations are among `names`.
        frame: all else of the networks but their channels.
        channels: of many networks.
        names: of the operations.

    Returns:
        3 K + 3 arrays that broadcast: of each of K operations; then millions of numbers that are copied, added or
        pooled, millions of multiply-adds of stem, head and classifier, and 1.
    """
    stem, *widths = (np.asarray(value, dtype=np.float64) for value in channels)
    pixels = [height * width for height, width in frame.layout.resolutions(frame.image_size)]
    (groups, joins), skeleton = _structure(cell), frame.layout.skeleton
    place = {name: 3 * number for number, name in enumerate(names)}
    found: list[np.ndarray] = [np.zeros(()) for _ in range(3 * len(names) + 3)]
    moved, other = len(found) - 3, len(found) - 2
    found[other] = found[other] + STEM_KERNEL**2 * IMAGE_CHANNELS * stem * pixels[0] / 1e6
    found[-1] = np.ones(())
    c_in, before = stem, pixels[0]
    for width, repeats, area in zip(widths, skeleton.repeats, pixels[1:], strict=True):
        c_out = width * len(cell.leaves)
        for source, count in ((c_in, 1), (c_out, repeats - 1)):
            for name, from_input, from_vertices, members in groups:
                read = from_input * source + from_vertices * width
                macs = OPERATIONS.get(name).macs_per_pixel(read, width)
                for offset, value in enumerate((np.ones(()), members * macs * area / 1e6, members * read * area / 1e6)):
                    found[place[name] + offset] = found[place[name] + offset] + count * value
            copied = sum((inputs * source + vertices * width for inputs, vertices in joins), np.zeros(()))
            found[moved] = found[moved] + count * copied * area / 1e6
        pooled = c_in * before if area < before else 0.0
        found[moved] = found[moved] + (pooled + (repeats - 1) * c_out * area) / 1e6
        c_in, before = c_out, area
    head = skeleton.head_channels
    found[other] = found[other] + (c_in * head * pixels[-1] + head * frame.num_classes) / 1e6
    return found


@lru_cache(maxsize=100_000)
def _structure(cell: Cell) -> tuple[tuple[tuple[str, int, int, int], ...], tuple[tuple[int, int], ...]]:
    """Return the groups of vertices that become one layer, and the concatenations that copy.

    A group is its operation, whether a vertex reads the input, how many other vertices it reads, and its members; a
    concatenation, whether the input is part of it, and how many other vertices are.
    """
    sets = [tuple(np.flatnonzero(column).tolist()) for column in cell.adjacency.T[1:]]
    keys = list(zip(cell.operations[1:], sets, strict=True))
    groups = [(key, sum(other == key for other in keys)) for key in dict.fromkeys(keys)]
    group_of = dict(enumerate(keys, start=1))
    joins = []
    for parts in dict.fromkeys([*sets, tuple(cell.leaves)]):
        if len({group_of.get(vertex) for vertex in parts}) > 1:
            joins.append((int(0 in parts), len(parts) - int(0 in parts)))
    return tuple((name, int(0 in own), len(own) - int(0 in own), count) for (name, own), count in groups), tuple(joins)
