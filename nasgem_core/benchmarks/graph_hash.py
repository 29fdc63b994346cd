"""The isomorphism hash of NAS-Bench-101 (Ying et al. 2019), for whole batches of cells.

A vertex starts with the MD5 of its out-degree, in-degree and label. In each of V rounds it becomes the MD5 of the
sorted hashes of its predecessors, those of its successors, and its own. The graph's hash is the MD5 of the sorted list
of its vertices' hashes. All texts are those that the benchmark hashes, so the results are its own keys.
"""

from hashlib import md5

import numpy as np

from nasgem_core.cells.batch import CellBatch


def graph_hashes(cells: CellBatch, labels: np.ndarray) -> np.ndarray:
    """Return the hash of each cell, [B, 16] uint8.

    Args:
        cells: B cells.
        labels: the integer by which the benchmark knows each code, [codes]; entry 0, padding, is not read.
    """
    starts: dict[tuple[int, int, int], str] = {}
    graphs = zip(cells.adjacency.tolist(), labels[cells.codes].tolist(), cells.num_vertices.tolist(), strict=True)
    found = []
    for adjacency, own, size in graphs:
        vertices = range(size)
        before = [[u for u in vertices if adjacency[u][v]] for v in vertices]
        after = [[w for w in vertices if adjacency[v][w]] for v in vertices]
        hashes = []
        for start in zip(map(len, after), map(len, before), own, strict=False):
            if start not in starts:
                starts[start] = md5(str(start).encode()).hexdigest()
            hashes.append(starts[start])
        for _ in vertices:
            hashes = [
                md5(f"{_joined(hashes, u)}|{_joined(hashes, w)}|{one}".encode()).hexdigest()
                for u, w, one in zip(before, after, hashes, strict=True)
            ]
        found.append(md5(str(sorted(hashes)).encode()).digest())
    return np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, md5().digest_size)


def _joined(hashes: list[str], vertices: list[int]) -> str:
    """Return the hashes of the vertices, sorted, as one text; most vertices have a single neighbour on a side."""
    if len(vertices) == 1:
        return hashes[vertices[0]]
    return "".join(sorted([hashes[v] for v in vertices]))
