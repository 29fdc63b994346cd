"""Random graphs of Watts and Strogatz (1998), directed as in Xie et al. 2019 (section 3.4)."""

import random

from nasgem_core.errors import ParameterError


def small_world_dag(num_vertices: int, neighbours: int, rewiring: float, seed: int) -> tuple[tuple[int, ...], ...]:
    """Return the predecessors of each vertex of a random graph WS(neighbours, rewiring).

    The vertices form a ring in which each is joined to `neighbours / 2` others on either side. For i = 1..neighbours /
    2, the edge from each vertex to the i-th one clockwise is, with probability `rewiring`, moved to another vertex,
    drawn uniformly from those that it has no edge to. Every edge then points from the smaller number to the larger one.

    The numbers come from `random.Random(seed).random()`, whose sequence Python guarantees.

    Raises:
        ParameterError: `neighbours` is odd or not in 2..num_vertices - 1, or `rewiring` is not a probability.
    """
    if neighbours % 2 or not 2 <= neighbours < num_vertices:
        raise ParameterError(f"neighbours = {neighbours}: must be even, at least 2 and below {num_vertices} vertices")
    if not 0 <= rewiring <= 1:
        raise ParameterError(f"rewiring = {rewiring}: must be a probability, 0..1")
    generator = random.Random(seed)
    steps = range(1, neighbours // 2 + 1)
    joined: list[set[int]] = [set() for _ in range(num_vertices)]
    for vertex in range(num_vertices):
        for step in steps:
            _join(joined, vertex, (vertex + step) % num_vertices)
    for step in steps:
        for vertex in range(num_vertices):
            free = [u for u in range(num_vertices) if u != vertex and u not in joined[vertex]]
            if generator.random() < rewiring and free:
                target = (vertex + step) % num_vertices
                joined[vertex].discard(target)
                joined[target].discard(vertex)
                _join(joined, vertex, free[int(generator.random() * len(free))])
    return tuple(tuple(sorted(u for u in joined[vertex] if u < vertex)) for vertex in range(num_vertices))


def _join(joined: list[set[int]], first: int, second: int) -> None:
    joined[first].add(second)
    joined[second].add(first)
