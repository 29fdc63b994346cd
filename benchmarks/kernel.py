"""Speed of the Weisfeiler-Lehman kernel and of canonical keys, on one core.

The peer is GraKeL. It reads a directed graph by its successors, so both compute that and the values are compared. It is
in the optional extra `peers` and has wheels for Python 3.11 and 3.12; without it, only nasgem is measured.
"""

import time
from importlib.util import find_spec

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.canonical import canonical_keys
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, PairsConfig
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity

ITERATIONS = 3
PEER_PAIRS = 1000
REPEATS = 5


def best_seconds(work):
    """Return the time of the fastest of a few runs, which other processes disturb least."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def grakel_similarity(left: CellBatch, right: CellBatch) -> np.ndarray:
    from grakel import Graph, GraphKernel

    graphs = [
        [
            Graph(list(map(tuple, np.argwhere(cell.adjacency))), node_labels=dict(enumerate(cell.operations)))
            for cell in side
        ]
        for side in (left, right)
    ]

    def work() -> np.ndarray:
        kernels = (
            GraphKernel([{"name": "weisfeiler_lehman", "n_iter": ITERATIONS}, "vertex_histogram"], normalize=True)
            for _ in left
        )
        return np.array([k.fit_transform([a, b])[0, 1] for k, a, b in zip(kernels, *graphs, strict=True)])

    grakel_similarity.seconds = best_seconds(work)
    return work()


def main() -> None:
    complete = CellsConfig(edge_probability=(0.3, 0.5))
    # GraKeL ignores vertices without edges, and both sides need all 30 vertices, so only cells of full size are used.
    cells = sample_cells(complete, 100_000, 0)
    full = cells[cells.num_vertices == 30]
    half = len(full) // 2
    left, right = full[:half], full[half : 2 * half]
    ours = wl_similarity(left, right, ITERATIONS, "successors")
    seconds = best_seconds(lambda: wl_similarity(left, right, ITERATIONS, "successors"))
    print(f"WL similarity, n = 30, h = {ITERATIONS}, successors: {half / seconds:,.0f} pairs/s")
    if find_spec("grakel"):
        peer = grakel_similarity(left[:PEER_PAIRS], right[:PEER_PAIRS])
        peer_seconds = grakel_similarity.seconds / PEER_PAIRS
        print(f"  GraKeL {1 / peer_seconds:,.0f} pairs/s, ratio {peer_seconds * half / seconds:.0f}")
        print(f"  largest difference {np.abs(ours[:PEER_PAIRS] - peer).max():.1e}")
    else:
        print("  GraKeL is not installed: `pip install nasgem[peers]` with Python 3.11 or 3.12")

    pairs = draw_pairs(CellsConfig(), PairsConfig(), 0)
    seconds = best_seconds(lambda: wl_similarity(pairs.left, pairs.right, ITERATIONS))
    print(f"50,000 pairs labelled, both directions: {seconds:.2f} s")

    print("growth with n at 6 edges per vertex, h = 3, microseconds per pair:")
    sizes, costs = (30, 60, 120, 250), []
    for n in sizes:
        probability = 6 / ((n - 1) / 2)
        batch = sample_cells(CellsConfig(vertices=n, edge_probability=(probability, probability)), 4000, 1)
        costs.append(best_seconds(lambda b=batch: wl_similarity(b[:2000], b[2000:], ITERATIONS)) / 2000 * 1e6)
    print("  " + ", ".join(f"n = {n}: {cost:.1f}" for n, cost in zip(sizes, costs, strict=True)))
    print(f"  exponent {np.polyfit(np.log(sizes), np.log(costs), 1)[0]:.2f} (1 is linear)")
    hs, costs = (1, 2, 4, 8, 16), []
    for h in hs:
        costs.append(best_seconds(lambda h=h: wl_similarity(pairs.left, pairs.right, h)) / len(pairs) * 1e6)
    slope, offset = np.polyfit(hs, costs, 1)
    print(
        f"growth with h: {offset:.1f} + {slope:.1f} h microseconds per pair, "
        f"largest deviation from the line {np.abs(np.polyval([slope, offset], hs) - costs).max():.1f}"
    )

    batch = sample_cells(CellsConfig(), 10_000, 2)
    seconds = best_seconds(lambda: canonical_keys(batch.adjacency, batch.codes, batch.operation_names))
    print(f"canonical keys of 10,000 cells of at most 30 vertices: {seconds:.2f} s")


if __name__ == "__main__":
    main()
