"""Cells that can be part of a search: those without a network at its budget are ruled out, and others take their place.

All cells can, where the score has no budget.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from flows.runtime.session import Session
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.known_blocks import KnownBlock, known_blocks
from nasgem_core.config.score import ScoreConfig
from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed
from tasks.run.progress import say
from tasks.stages.cells import sample_cells_task, sampled_cells

_MOST_DRAWN = 100
"""Cells that are drawn for each one that is needed, at most."""


@dataclass(frozen=True, eq=False)
class PossibleCells:
    """Cells that can be part of a search.

    Args:
        cells: as many as were asked for.
        ruled_out: how many others were met before the last of them, for each obstacle.
    """

    cells: CellBatch
    ruled_out: Counter[str]


def random_stream(session: Session, count: int) -> PossibleCells:
    """Return the first possible cells of the search's stream of random cells, which random search shares.

    Raises:
        ParameterError: too few of very many cells are possible, or there are not so many cells.
    """
    drawn, last = count, _MOST_DRAWN * count
    while True:
        cells = _drawn(session, drawn)
        obstacles = session.objective.obstacles(cells)
        places = np.flatnonzero([not obstacle for obstacle in obstacles])[:count]
        if len(places) == count:
            met = obstacles[: places[-1] + 1] if count else []
            return PossibleCells(cells[places], Counter(obstacle for obstacle in met if obstacle))
        if drawn == last:
            raise ParameterError(
                f"{count} random cells are needed, and {len(places)} of {drawn} are possible: "
                f"{reasons_words(Counter(filter(None, obstacles)))}; {session.objective.remedy(cells, count)}"
            )
        drawn = min(4 * drawn, last)


def _drawn(session: Session, count: int) -> CellBatch:
    config = session.config
    return sampled_cells(sample_cells_task(config.cells, count, derive_seed(config.seed, "cells")))


def possible_blocks(session: Session) -> tuple[list[KnownBlock], Counter[str]]:
    """Return the known blocks of the search space that are possible, and how many are not, for each obstacle."""
    space, blocks = session.config.cells, known_blocks(session.config.cells)
    cells = CellBatch.from_cells([block.cell for block in blocks], space.operations, space.vertices)
    obstacles = session.objective.obstacles(cells)
    possible = [block for block, obstacle in zip(blocks, obstacles, strict=True) if not obstacle]
    return possible, Counter(filter(None, obstacles))


def say_ruled_out(what: str, ruled_out: Counter[str]) -> None:
    """Report in one line how many cells were ruled out, and why; nothing where there were none."""
    if ruled_out:
        say(f"  {what} ruled out: {reasons_words(ruled_out)}")


def reasons_words(ruled_out: Counter[str]) -> str:
    """Return obstacles with their numbers, such as "5 (no network of 20M MACs)"."""
    return ", ".join(f"{count} ({obstacle})" for obstacle, count in ruled_out.most_common())


def ruled_out_metrics(score: ScoreConfig, ruled_out: Counter[str]) -> dict[str, int]:
    """Return how many cells were ruled out as a metric, where the score has a budget."""
    return {"ruled_out_cells": ruled_out.total()} if score.budget else {}
