"""Cells whose operations are on edges, as in NAS-Bench-201, turned into cells of labelled vertices.

Nodes are numbered from the input, 0, to the output, the highest; a node is the sum of what its edges bring. An edge
becomes a vertex with the edge's operation, fed by what makes up the node that it starts from; the output is one more
vertex. Two names mean what they mean there: `none` brings nothing, and with it goes what is no longer between input and
output; `skip_connect` hands on what it is given, so it is no vertex. A sum may hold a tensor several times (x + x
through two skips): for each further time there is a vertex `skip_connect` that the tensor feeds. Where nothing reaches
the output the cell is input, `none`, output.
"""

import re
from collections import Counter
from typing import Any

import numpy as np

from nasgem_core.cells.cell import Cell
from nasgem_core.cells.codes import MAX_VERTICES
from nasgem_core.config.documents import shown
from nasgem_core.errors import CellError
from nasgem_core.json_text import parse_json
from nasgem_core.operations.operation import INPUT

NONE, SKIP, OUTPUT = "none", "skip_connect", "output"
_NAMED_EDGE = re.compile(r"(?P<name>[^~|]+)~(?P<start>\d{1,3})")

Edge = tuple[int, int, str]
"""The node that it starts from, the one that it ends at, and its operation."""


def parse_edges(text: str) -> list[Edge]:
    """Read a cell: JSON such as {"edges": [[0, 1, "conv3x3"], [0, 2, "pool"]]}, or |conv3x3~0|+|pool~0|conv3x3~1|.

    In the second form, that of NAS-Bench-201, the nodes from 1 on are separated by +, and an edge names its operation
    and the node that it starts from. An operation `input` or `output` is refused: these are the two ends.

    Raises:
        CellError: the text is neither; it names the part that is wrong.
    """
    edges = _from_words(text) if text.startswith("|") else _from_json(text)
    for start, end, name in edges:
        if not 0 <= start < end:
            raise CellError(f"edge {start} -> {end}: an edge goes from a lower to a higher node, the input being 0")
        if name in ("", INPUT, OUTPUT):
            raise CellError(f"edge {start} -> {end} has the operation {name!r}, which is reserved: rename it")
    if not edges:
        raise CellError("the cell has no edge")
    return edges


def vertex_cell(edges: list[Edge]) -> Cell:
    """Return the cell of labelled vertices; the names must be known as operations (`register_tabular`).

    Raises:
        CellError: an operation is unknown, or the cell has too many vertices.
    """
    # Sources are -1 for the input and the number of an edge for what it computes; a node is a sum of sources.
    edges = sorted(edges, key=lambda edge: (edge[1], edge[0]))
    sums: dict[int, Counter[int]] = {0: Counter({-1: 1})}
    for number, (start, end, name) in enumerate(edges):
        brought = sums.get(start, Counter())
        if name == SKIP:
            sums.setdefault(end, Counter()).update(brought)
        elif name != NONE and brought:
            sums.setdefault(end, Counter())[number] += 1
    output = sums.get(max(end for _, end, _ in edges), Counter())
    received = {number: sums.get(edges[number][0], Counter()) for number in _living(edges, sums, output)}
    if not output:
        return Cell(np.triu(np.ones((3, 3), dtype=np.uint8), 1) - np.eye(3, k=2, dtype=np.uint8), (INPUT, NONE, OUTPUT))
    return _drawn(edges, received, output)


def _living(edges: list[Edge], sums: dict[int, Counter[int]], output: Counter[int]) -> list[int]:
    """Return the edges that compute what the output needs, ascending."""
    living, waiting = set(), [source for source in output if source >= 0]
    while waiting:
        number = waiting.pop()
        if number not in living:
            living.add(number)
            waiting += [source for source in sums[edges[number][0]] if source >= 0]
    return sorted(living)


def _drawn(edges: list[Edge], received: dict[int, Counter[int]], output: Counter[int]) -> Cell:
    """Return the cell of the edges that compute, in the order of the nodes that they start from, then the output."""
    most: Counter[int] = Counter()
    for sources in (*received.values(), output):
        for source, times in sources.items():
            most[source] = max(most[source], times)
    names, place = [INPUT], {-1: [0]}
    links: list[tuple[int, int]] = []

    def add_copies(source: int) -> None:
        if len(names) + most[source] > MAX_VERTICES:
            raise CellError(f"as vertices the cell's edges are more than {MAX_VERTICES}, the most that a cell can have")
        for _ in range(most[source] - 1):
            links.append((place[source][0], len(names)))
            place[source].append(len(names))
            names.append(SKIP)

    add_copies(-1)
    for number in sorted(received, key=lambda number: edges[number][:2]):
        place[number] = [len(names)]
        names.append(edges[number][2])
        links += _feeds(received[number], place, place[number][0])
        add_copies(number)
    links += _feeds(output, place, len(names))
    names.append(OUTPUT)
    adjacency = np.zeros((len(names), len(names)), dtype=np.uint8)
    for u, v in links:
        adjacency[u, v] = 1
    return Cell(adjacency, tuple(names))


def _feeds(sources: Counter[int], place: dict[int, list[int]], vertex: int) -> list[tuple[int, int]]:
    return [(place[source][copy], vertex) for source, times in sources.items() for copy in range(times)]


def _from_words(text: str) -> list[Edge]:
    edges = []
    for end, node in enumerate(text.split("+"), start=1):
        if not (node.startswith("|") and node.endswith("|") and len(node) > 1):
            raise CellError(f"node {end} is {shown(node)}: it must be edges such as |conv3x3~0|skip_connect~1|")
        for word in node.strip("|").split("|"):
            found = _NAMED_EDGE.fullmatch(word)
            if not found:
                raise CellError(f"node {end} has the edge {shown(word)}: it must be an operation, ~ and a node")
            edges.append((int(found["start"]), end, found["name"]))
    return edges


def _from_json(text: str) -> list[Edge]:
    try:
        listed: Any = parse_json(text)["edges"]
    except (ValueError, TypeError, KeyError) as error:
        raise CellError(
            f'not a cell with operations on edges, {{"edges": [[from, to, "name"], ...]}}: {error}'
        ) from None
    if not isinstance(listed, list):
        raise CellError("field 'edges' must be a list")
    for edge in listed:
        three = isinstance(edge, list) and len(edge) == 3
        if not three or not all(type(node) is int for node in edge[:2]) or not isinstance(edge[2], str):
            raise CellError(f"field 'edges' holds {shown(edge)}: each must be two node numbers and an operation")
    return [(start, end, name) for start, end, name in listed]
