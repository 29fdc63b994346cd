"""Trained cells of earlier searches, from their folders: what the process of a search may learn from too."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors.notation import free_notation
from nasgem_core.predictors.process_scorer import EarlierSearch
from nasgem_core.search.score import Measured
from nasgem_core.search.target import ACCURACY, Target
from tasks.stages.trained import BOOTSTRAP_FILE, ESTIMATOR_FILE, read_trained

PROCESS = "gaussian_process"
_FEWEST = 4


def earlier_searches(config: SearchConfig) -> tuple[EarlierSearch, ...]:
    """Read the trained cells of the folders that `predictor.earlier` names.

    Raises:
        ParameterError: the predictor learns from nothing earlier, or a folder is the current one, whose files the
            search replaces.
        DataError: a folder holds no search, fewer than 4 trainings that succeeded, or operations that are too many
            together with those of the search space.
    """
    folders, kind = config.predictor.earlier, config.predictor.kind
    if folders and kind != PROCESS:
        raise ParameterError(
            f"predictor.earlier: predictor.kind = {kind!r} does not learn from earlier searches; set it to "
            f"{PROCESS}, or leave out the folders"
        )
    found = tuple(_search_in(Path(folder), config.predictor.target) for folder in folders)
    for search in found:
        free_notation(dict.fromkeys((*config.cells.operations, *search.cells.operation_names)))
    return found


def _search_in(folder: Path, target: str) -> EarlierSearch:
    if folder.resolve() == Path.cwd():
        raise ParameterError(
            f"predictor.earlier = {str(folder)!r} is this folder, whose files a search replaces: copy it"
        )
    if not (folder / ESTIMATOR_FILE).is_file():
        raise DataError(
            f"predictor.earlier: {folder / ESTIMATOR_FILE} is missing: name the folder of a finished search"
        )
    files = [folder / file for file in (ESTIMATOR_FILE, BOOTSTRAP_FILE) if (folder / file).is_file()]
    parts = [read_trained(file).usable for file in files]
    cells = CellBatch.from_cells([cell for part in parts for cell in part.cells])
    _, first = np.unique(cells.keys, return_index=True)
    if len(first) < _FEWEST:
        raise DataError(f"predictor.earlier: {folder} has {len(first)} trainings that succeeded: {_FEWEST} are needed")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("score", "accuracy", "macs")}
    values = _values(joined, target)
    kept = np.sort(first)
    return EarlierSearch(cells[kept], values[kept])


def _values(measured: Mapping[str, np.ndarray], target: str) -> np.ndarray:
    """Return what was measured, standardised: scores as they were, or accuracies without what multiply-adds explain."""
    if target == ACCURACY:
        return Target.of(ACCURACY, Measured(measured["accuracy"], measured["macs"], penalty=0.0))[1]
    score = measured["score"]
    return (score - score.mean()) / max(float(score.std()), 1e-8)
