"""The results of a search whose accuracies are made up, for what is shown of results."""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import Objective, ProxyNetworks, objective_class
from tasks.stages.best_cell import write_best_cell
from tasks.stages.results import Results
from tasks.stages.trained import BASELINE, BOOTSTRAP_FILE, ESTIMATOR_FILE, TrainedCells, write_trained
from tasks.store.artifacts import METRICS, write_json

SPACE = CellsConfig()
CELLS = [block.cell.canonical_form() for block in known_blocks(SPACE)[:5]]
"""A cell found by the predictor, one whose training failed, a known block, and two of random search."""
KEYS = [cell.canonical_key for cell in CELLS]


def objective() -> Objective:
    """Return what the score charges."""
    networks = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=16), 10)
    return objective_class("macs").open("macs", networks, 0.1)


def write_made_up_search() -> Results:
    """Write the files of its stages into the current folder, and return the results as they are read."""
    for path, places, origins in (
        (ESTIMATOR_FILE, [0, 1, 2], ["predicted", "random", "known: MobileNetV1"]),
        (BOOTSTRAP_FILE, [3, 4], [BASELINE, BASELINE]),
    ):
        results = [
            {"accuracy": np.nan if place == 1 else 0.6 - 0.05 * place, "failed": place == 1, "reason": "diverged"}
            for place in places
        ]
        batch = CellBatch.from_cells([CELLS[place] for place in places], SPACE.operations, SPACE.vertices)
        write_trained(path, TrainedCells.of(batch, results, objective(), origin=origins, number=1))
    write_best_cell(CELLS[0])
    row = {"round": 1, "new_cells": 2, "kendall_tau": None, "spearman_rho": 0.5}
    row |= {"squared_error": 0.001, "constant_squared_error": 0.002}
    write_json(METRICS / "estimator.json", "nasgem.metrics/1", {"rounds": [row]})
    chosen = {"key": KEYS[0], "origin": "predicted", "round": 1, "trainings": 2, "mean_score": 0.59, "chosen": True}
    known = {**chosen, "key": KEYS[2], "origin": "known: MobileNetV1", "mean_score": 0.51, "chosen": False}
    document = {
        "finalists": [chosen, known],
        "random_finalists": [{**chosen, "key": KEYS[4], "origin": BASELINE, "mean_score": 0.41}],
        "expected_score": 0.58,
        "expected_score_half_width": 0.02,
        "random_expected_score": 0.4,
        "random_expected_score_half_width": 0.03,
        "expected_margin": 0.18,
        "expected_margin_half_width": 0.04,
    }
    write_json(METRICS / "bootstrap.json", "nasgem.metrics/1", document)
    return Results(SearchConfig())
