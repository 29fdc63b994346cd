"""The positions of a cell's vertices in a drawing: a layered layout of a DAG.

The steps are Sugiyama's: layers by longest path, waypoints where an edge crosses a layer, an order within each layer
by barycentres, and heights by weighted least squares. All edges that leave a vertex carry the same tensor, so they
share their waypoints; this keeps dense cells legible.
"""

from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.cell import Cell

_ORDER_SWEEPS = 24
_HEIGHT_SWEEPS = 40
_VERTEX_HEIGHT = 1.0
_WAYPOINT_HEIGHT = 0.4


@dataclass(frozen=True)
class Layout:
    """A drawn cell as numbers. Points 0..V-1 are its vertices, point V is its output, later points are waypoints.

    Args:
        layer: [P] layer of each point; a vertex's is its longest path from the input, in edges.
        height: [P] coordinate across the layers; two vertices of a layer are at least 1 apart.
        segments: [S, 2] the two points that each line joins, always from one layer to the next.
        source: [S] the vertex whose tensor each line carries.
    """

    layer: np.ndarray
    height: np.ndarray
    segments: np.ndarray
    source: np.ndarray


def longest_path_layers(adjacency: np.ndarray) -> np.ndarray:
    """Return [V] the number of edges on the longest path from the input to each vertex."""
    layers = np.zeros(len(adjacency), dtype=np.int64)
    for vertex in range(1, len(adjacency)):
        layers[vertex] = layers[np.flatnonzero(adjacency[:, vertex])].max(initial=-1) + 1
    return layers


def layered_layout(cell: Cell) -> Layout:
    """Lay a cell out in layers, the input first and the output, fed by all leaves, last."""
    size = cell.num_vertices
    graph = np.zeros((size + 1, size + 1), dtype=np.uint8)
    graph[:size, :size] = cell.adjacency
    graph[list(cell.leaves), size] = 1
    layer, segments, source = _with_waypoints(graph, longest_path_layers(graph))
    gaps = [segments[layer[segments[:, 0]] == number] for number in range(layer.max())]
    order = _order(layer, gaps)
    return Layout(layer, _heights(layer, order, segments, size + 1), segments, source)


def _with_waypoints(graph: np.ndarray, layer_of: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut edges that cross layers into segments; the edges of one vertex share a chain of waypoints."""
    layer = layer_of.tolist()
    segments, source = [], []
    for vertex, row in enumerate(graph):
        targets = np.flatnonzero(row)
        last = int(layer_of[targets].max(initial=0))
        previous = vertex
        for number in range(int(layer_of[vertex]) + 1, last + 1):
            ends = targets[layer_of[targets] == number].tolist()
            if number < last:
                ends.append(len(layer))
                layer.append(number)
            segments += [(previous, end) for end in ends]
            source += [vertex] * len(ends)
            previous = ends[-1]
    return np.array(layer), np.array(segments), np.array(source)


def _order(layer: np.ndarray, gaps: list[np.ndarray]) -> np.ndarray:
    """Return each point's rank within its layer, [P], with few crossings: the best of several barycentre sweeps."""
    members = [np.flatnonzero(layer == number) for number in range(layer.max() + 1)]
    rank = np.zeros(len(layer))
    for points in members:
        rank[points] = np.arange(len(points))
    best, fewest = rank.copy(), _crossings(rank, gaps)
    for sweep in range(_ORDER_SWEEPS):
        forward = sweep % 2 == 0
        for number in range(1, len(members)) if forward else range(len(members) - 2, -1, -1):
            near, far = (gaps[number - 1][:, ::-1] if forward else gaps[number]).T
            points = members[number]
            degree = np.bincount(near, minlength=len(layer))[points]
            total = np.bincount(near, weights=rank[far], minlength=len(layer))[points]
            centre = np.where(degree > 0, total / np.maximum(degree, 1), rank[points])
            rank[points[np.lexsort((rank[points], centre))]] = np.arange(len(points))
        crossings = _crossings(rank, gaps)
        if crossings < fewest:
            best, fewest = rank.copy(), crossings
    return best


def _crossings(rank: np.ndarray, gaps: list[np.ndarray]) -> int:
    """Count the pairs of segments that cross between neighbouring layers."""
    total = 0
    for gap in gaps:
        left, right = rank[gap[:, 0]], rank[gap[:, 1]]
        crossed = (left[:, None] < left[None, :]) & (right[:, None] > right[None, :])
        total += int(crossed.sum())
    return total


def _heights(layer: np.ndarray, rank: np.ndarray, segments: np.ndarray, first_waypoint: int) -> np.ndarray:
    """Return heights, [P], that keep the order and the minimal distances and make long lines straight.

    Minimises the weighted sum of squared rises of the segments, one layer at a time: with the neighbouring layers
    fixed, the optimum of a layer under minimal distances is an isotonic regression.
    """
    from scipy.optimize import isotonic_regression

    waypoint = np.arange(len(layer)) >= first_waypoint
    half = np.where(waypoint, _WAYPOINT_HEIGHT, _VERTEX_HEIGHT) / 2
    stiffness = np.array([1.0, 2.0, 8.0])[waypoint[segments].sum(axis=1)]
    members, offsets, height = [], [], np.zeros(len(layer))
    for number in range(layer.max() + 1):
        points = np.flatnonzero(layer == number)
        points = points[np.argsort(rank[points], kind="stable")]
        offset = np.concatenate([[0.0], np.cumsum(half[points][:-1] + half[points][1:])])
        height[points] = offset - offset.mean()
        members.append(points)
        offsets.append(offset)
    start, end = segments.T
    weight = np.bincount(start, stiffness, len(layer)) + np.bincount(end, stiffness, len(layer))
    for sweep in range(_HEIGHT_SWEEPS):
        for number in range(len(members)) if sweep % 2 == 0 else range(len(members) - 1, -1, -1):
            points, offset = members[number], offsets[number]
            pull = np.bincount(start, stiffness * height[end], len(layer))
            pull += np.bincount(end, stiffness * height[start], len(layer))
            wanted = pull[points] / weight[points]
            height[points] = isotonic_regression(wanted - offset, weights=weight[points]).x + offset
    return height
