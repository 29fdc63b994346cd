"""The Pareto fronts of accuracy against each cost, as a table: of the networks that were trained, or of cells."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasgem_core.config.search import SearchConfig
from nasgem_core.figures.comparison import Compared, fronts
from nasgem_core.figures.page_parts import Table
from tasks.stages.imagenet_table import (
    MACS_WORDS,
    PARAMS_WORDS,
    accuracy_text,
    compared_networks,
    front_words,
    read_networks,
)
from tasks.stages.results import Results, column_words, cost_text
from tasks.stages.trained import KNOWN, REPEATS_FILE, TrainedCells, read_trained


@dataclass(frozen=True)
class Trained:
    """What was trained, and how it is called.

    Args:
        title: of its table and its figure.
        accuracy: what was measured, in words.
        compared: networks or cells.
        always: kinds that the table shows even if they are dominated: what a user would have taken.
    """

    title: str
    accuracy: str
    compared: Sequence[Compared]
    always: frozenset[str]


def read_compared(config: SearchConfig) -> Trained:
    """Return the networks that stage `imagenet` has trained, or else the cells of the search.

    Raises:
        DataError: neither is there.
    """
    networks = compared_networks(read_networks()[0])
    if networks:
        every = frozenset(each.kind for each in networks)
        return Trained("Networks trained on your images", "top-1 accuracy (%)", networks, every)
    results, space = Results(config), config.cells
    repeats = read_trained(REPEATS_FILE, space.operations, space.vertices)
    title = "Cells of the search, in their networks of the proxy task"
    if config.score.budget:
        title = f"Cells of the search, at the costs of their networks at score.budget = {config.score.budget}"
    cells = compared_cells(results.trained.usable, repeats.usable)
    return Trained(title, "proxy accuracy (%)", cells, frozenset({KNOWN}))


def compared_cells(trained: TrainedCells, repeats: TrainedCells) -> list[Compared]:
    """Return each cell once, with the accuracies of all its trainings; equal ones of search and baseline count once."""
    accuracies: dict[str, dict[str, float]] = defaultdict(dict)
    for cells, first in ((trained, True), (repeats, False)):
        for key, origin, accuracy in zip(cells.key, cells.origin, cells.accuracy, strict=True):
            run = "" if first else origin.partition(": ")[2]
            accuracies[key].setdefault(run, float(accuracy))
    compared = []
    for row, kind in zip(trained.distinct.rows(), trained.distinct.kinds, strict=True):
        costs = {MACS_WORDS: row["macs"] / 1e6, PARAMS_WORDS: row["params"] / 1e6}
        added = {column_words(name): row[name] for name in trained.columns if isinstance(row[name], float)}
        name = row["key"][:8] + (f" ({row['origin'].partition(': ')[2]})" if kind == KNOWN else "")
        compared.append(Compared(name, kind, list(accuracies[row["key"]].values()), {**costs, **added}))
    return compared


def front_table(trained: Trained, most: int) -> Table:
    """Return the table of what is on a Pareto front, of what is always shown, and of the most accurate others.

    Args:
        trained: networks or cells.
        most: how many of the others, at most.
    """
    compared = trained.compared
    on_fronts = fronts(compared)
    kept = {each.name for each in compared if each.kind in trained.always}.union(*on_fronts.values())
    others = sorted((each for each in compared if each.name not in kept), key=lambda each: -each.accuracy)
    kept |= {each.name for each in others[:most]}
    shown = [compared[place] for place in np.argsort([each.costs[MACS_WORDS] for each in compared], kind="stable")]
    rows = [
        [
            each.name,
            each.kind,
            accuracy_text(each.accuracies),
            *(cost_text(each.costs.get(word, float("nan"))) for word in on_fronts),
            front_words(on_fronts, each.name),
            len(each.accuracies),
        ]
        for each in shown
        if each.name in kept
    ]
    header = ["name", "kind", trained.accuracy, *on_fronts, "Pareto front of", "trainings"]
    left_out = len(compared) - len(rows)
    note = f"{left_out} others are dominated and not listed." if left_out else ""
    return Table(trained.title, header, rows, note)
