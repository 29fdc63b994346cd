"""How many trainings a search saves that learns from an earlier one: pairs of searches of NAS-Bench-201.

A search trains 20 random cells and then four times the 10 that its process expects to be best; to train is to look up a
noisy validation accuracy. The later one of a pair is run without and with what the earlier one has found, and, as what
should not help, with the earlier one's accuracies in random order.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from nasgem_core.benchmarks.catalogue import benchmark_of
from nasgem_core.benchmarks.nasbench201 import import_npz
from nasgem_core.benchmarks.prediction_spaces import prediction_space
from nasgem_core.intervals import mean_and_interval
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.process_scorer import EARLIER
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

PAIRS = (("c100", "c10"), ("c10", "in16"), ("in16", "c100"))
INITIAL, BATCH, ROUNDS = 20, 10, 4


def process_on(space: Space) -> GaussianProcess:
    return GaussianProcess(space, "arc_cosine", Relevances({EARLIER: 2.0}))


def expected_by(space: Space, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what a process fitted to the labels of some cells expects of all cells, standardised."""
    expected = process_on(space).fit(rows, labels[rows], 0).predict(np.arange(len(space)))
    return (expected - expected.mean()) / expected.std()


def with_column(space: Space, column: np.ndarray) -> Space:
    features = np.concatenate([space.features, np.clip(column, -4, 4)[:, None].astype(np.float32)], 1)
    return Space(space.cells, features, (*space.names, f"{EARLIER}:0"))


def search(space: Space, labels: np.ndarray, seed: int) -> np.ndarray:
    """Return the cells that a search trains, in order."""
    rows = np.random.default_rng(seed).permutation(len(space))[:INITIAL]
    for _ in range(ROUNDS):
        expected = process_on(space).fit(rows, labels[rows], 0).predict(np.arange(len(space)))
        best = np.argsort(-expected, kind="stable")
        rows = np.concatenate([rows, best[~np.isin(best, rows)][:BATCH]])
    return rows


def curve(rows: np.ndarray, labels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return after each training the true accuracy of the best observed cell."""
    best = [rows[: i + 1][labels[rows[: i + 1]].argmax()] for i in range(len(rows))]
    return truth[best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="nasbench201.npz")
    parser.add_argument("--searches", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = import_npz(arguments.file)
    space = prediction_space(table, benchmark_of(table.name))
    metrics = {name: values.astype(np.float64) for name, values in table.metrics.items()}
    sizes = (INITIAL, *(INITIAL + BATCH * (i + 1) for i in range(ROUNDS)))
    for before, now in PAIRS:
        labels, truth = metrics[f"{now}_val"], metrics[f"{now}_test"]
        curves: dict[str, list[np.ndarray]] = {}
        for number in range(arguments.searches):
            found = search(space, metrics[f"{before}_val"], derive_seed(number, before))
            shuffled = metrics[f"{before}_val"].copy()
            shuffled[found] = np.random.default_rng(number).permutation(shuffled[found])
            seed = derive_seed(number, now)
            for name, own in (
                ("without", space),
                ("with", with_column(space, expected_by(space, found, metrics[f"{before}_val"]))),
                ("with chance", with_column(space, expected_by(space, found, shuffled))),
            ):
                curves.setdefault(name, []).append(curve(search(own, labels, seed), labels, truth))
        print(f"{before} -> {now}: true accuracy (%) of the best observed cell, mean of {arguments.searches} searches")
        means = {name: np.mean(found, axis=0) for name, found in curves.items()}
        for name, found in curves.items():
            by_size = [mean_and_interval(100 * np.array(found)[:, size - 1]) for size in sizes]
            words = "  ".join(
                f"{size}: {mean:.2f} +- {half:.2f}" for size, (mean, half) in zip(sizes, by_size, strict=True)
            )
            print(f"  {name:<12} {words}")
        reached = np.flatnonzero(means["with"] >= means["without"][-1])
        print(
            f"  trainings until as good as {sizes[-1]} without: {reached[0] + 1 if len(reached) else 'more'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
