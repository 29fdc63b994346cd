"""Finalists: which cells of the search are compared on the target's images."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.errors import ParameterError
from nasgem_core.search.target_networks import TargetNetworks
from tasks.run.parameters import in_section
from tasks.stages.best_cell import BEST_CELL_FILE, not_trained
from tasks.stages.finalists_results import Finalist
from tasks.stages.gemnet import build_gemnets, build_target
from tasks.stages.imagenet_networks import halvings_for
from tasks.stages.networks import gemnet_layout
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    KNOWN,
    REPEATS_FILE,
    TrainedCells,
    read_trained,
)


def read_searched(space: CellsConfig) -> tuple[TrainedCells, TrainedCells]:
    """Return the cells that the search has trained, those of random search left out, and all repeated trainings."""
    parts = [read_trained(path, space.operations, space.vertices) for path in (ESTIMATOR_FILE, BOOTSTRAP_FILE)]
    trained = TrainedCells.concatenate(parts)
    own = trained[trained.origin != BASELINE]
    return own, read_trained(REPEATS_FILE, space.operations, space.vertices)


def mean_scores(trained: TrainedCells, repeats: TrainedCells) -> pd.DataFrame:
    """Return mean score and number of the trainings of each cell by its key, best first; failed trainings left out.

    A training that both the choice of the search and that of random search needed counts once.
    """
    runs = [("", trained), ("run", repeats)]
    rows = [
        (key, kind and origin.partition(": ")[2], score)
        for kind, cells in runs
        for key, origin, score in zip(cells.key, cells.origin, cells.score, strict=True)
        if np.isfinite(score)
    ]
    table = pd.DataFrame(rows, columns=["key", "run", "score"]).drop_duplicates(["key", "run"])
    found = table[table["key"].isin(trained.key)].groupby("key", sort=False)["score"].agg(["mean", "count"])
    return found.sort_values("mean", ascending=False, kind="stable")


def network_of(cell: Cell, config: SearchConfig, num_classes: int, networks: TargetNetworks | None) -> GEMNetSpec:
    """Return the network of a cell at the target's budget, named by the cell's key.

    The budget is the first of `imagenet.macs`, as of the networks that stage `imagenet` compares. Where that is 0, the
    network is the one that stage `gemnet` would build first.

    Args:
        cell: the graph.
        config: parameters.
        num_classes: length of the logits.
        networks: what cells became in the search, where it had a budget.

    Raises:
        ParameterError: the cell cannot meet the budget.
    """
    name, target = cell.canonical_key[:8], config.imagenet
    size, macs = (target.image_size, target.image_size), target.macs[0]
    if not macs:
        first = replace(config.gemnet, macs=config.gemnet.macs[:1])
        built = build_target(cell, first, networks) if networks else build_gemnets(cell, first)[0]
        return replace(built, name=name, num_classes=num_classes, image_size=size)
    layout = replace(halvings_for(size), skeleton=gemnet_layout(config.gemnet).skeleton)
    with in_section("imagenet"):
        return fit_to_budget(name, cell, layout, num_classes=num_classes, image_size=size, macs=macs)


def pick_finalists(
    config: SearchConfig,
    searched: Cell,
    build: Callable[[Cell], GEMNetSpec],
    on_ruled_out: Callable[[str, str], None],
) -> list[Finalist]:
    """Return the best cells of the search by the mean score of their trainings, best first.

    The search's choice and the best known block are among them in any case, if they can meet the budget. Cells that
    cannot are left out, and the next ones take their places.

    Args:
        config: parameters.
        searched: the search's choice.
        build: returns the network of a cell, or raises `ParameterError` where the cell cannot meet the budget.
        on_ruled_out: called with the key of each cell that cannot meet the budget, and the reason.

    Raises:
        ParameterError: no cell can meet the budget.
        DataError: the search's choice is not among the cells that the search has trained.
    """
    trained, repeats = read_searched(config.cells)
    means, rows = mean_scores(trained, repeats), trained.distinct
    place_of = {key: place for place, key in enumerate(rows.key)}
    networks: dict[str, GEMNetSpec | None] = {}
    if searched.canonical_key not in place_of:
        raise not_trained(BEST_CELL_FILE)

    def fits(key: str) -> bool:
        if key not in networks:
            try:
                networks[key] = build(rows.cells.cell(place_of[key]))
            except ParameterError as error:
                networks[key] = None
                on_ruled_out(key, str(error))
        return networks[key] is not None

    fits(searched.canonical_key)
    known = [key for key in means.index if rows.kinds[place_of[key]] == KNOWN]
    next(filter(fits, known), None)
    for key in means.index:
        if sum(spec is not None for spec in networks.values()) >= config.finalists.cells:
            break
        fits(key)
    found = [
        Finalist(spec, rows.origin[place_of[key]], int(rows.round[place_of[key]]), float(mean), int(count))
        for key, mean, count in means.itertuples()
        if (spec := networks.get(key))
    ]
    if not found:
        raise ParameterError(
            "no cell of the search has a network of the target's budget: change imagenet.macs, or set finalists.cells "
            "to 0 to do without finalists"
        )
    return found
