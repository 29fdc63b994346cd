"""The choice among trained cells: the best few are trained again from other seeds, and then the chosen one.

All of these are proxy trainings like the others, so they are cached and shared: run 0 of a cell is its first training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flows.runtime.session import Session
from flows.stages.train_cells import Settings, Source, train_cells
from nasgem_core.cells.cell import Cell
from nasgem_core.search.choice import Estimate, best_by_mean, expected_score, pick_finalists
from nasgem_core.search.noise import Noise
from tasks.stages.proxy import run_seed
from tasks.stages.trained import KNOWN, TrainedCells


@dataclass(frozen=True, eq=False)
class Choice:
    """A chosen cell, and what it was chosen by.

    Args:
        trained: the N cells that were chosen among, each trained once.
        finalists: positions of the K cells that were trained again, best first; the chosen one alone without repeats.
        repeats: their further trainings, K for each of the runs 1 to R - 1.
        chosen: position of the chosen cell.
        again: its trainings after the choice, runs R to 2 R - 1; none without repeats.
    """

    trained: TrainedCells
    finalists: np.ndarray
    repeats: TrainedCells
    chosen: int
    again: TrainedCells

    @property
    def cell(self) -> Cell:
        """The chosen cell."""
        return self.trained.cells.cell(self.chosen)

    @property
    def row(self) -> dict[str, Any]:
        """The chosen cell and its first training as plain values."""
        return self.trained.row(self.chosen)

    @property
    def scores(self) -> np.ndarray:
        """The scores that decided, [K, R]: one row for each finalist, its first training first."""
        first = self.trained.score[self.finalists]
        return np.vstack([first, self.repeats.score.reshape(-1, len(first))]).T

    @property
    def trainings(self) -> int:
        """How many trainings the choice took, the first ones not counted."""
        return len(self.repeats) + len(self.again)

    def table(self) -> list[dict[str, Any]]:
        """Return key, origin, round, trainings and mean score of each finalist, best first; empty without repeats."""
        if not len(self.repeats):
            return []
        rows = [self.trained.row(int(place)) for place in self.finalists]
        return [
            {
                **{name: row[name] for name in ("key", "origin", "round")},
                "trainings": len(scores),
                "mean_score": float(scores.mean()),
                "chosen": int(place) == self.chosen,
            }
            for place, row, scores in sorted(
                zip(self.finalists, rows, self.scores, strict=True), key=lambda each: -np.nan_to_num(each[2].mean())
            )
        ]

    def expected(self, noise: Noise | None) -> Estimate:
        """Return the score to expect of the chosen cell."""
        return expected_score(self.again.score, noise)


def choose_cell(session: Session, trained: TrainedCells, finalists: int, side: str = "") -> Choice:
    """Choose one of the cells: the best known block is a finalist in any case.

    Args:
        session: parameters and workers.
        trained: the cells, each trained once.
        finalists: how many are trained again.
        side: who chooses, a word before the origins of the trainings; by default the search.

    Raises:
        DataError: every training failed.
    """
    repeats, none = session.config.bootstrap.repeats, TrainedCells.none(session.config.cells)
    if repeats == 1:
        return Choice(trained, np.array([trained.best]), none, trained.best, none)
    places = pick_finalists(trained.score, finalists, np.flatnonzero(trained.kinds == KNOWN).tolist())
    again = train_again(session, trained[places], f"{side} finalist".strip(), range(1, repeats))
    choice = Choice(trained, places, again, int(places[0]), none)
    chosen = int(places[best_by_mean(choice.scores)])
    fresh = train_again(session, trained[[chosen]], f"{side} chosen cell".strip(), range(repeats, 2 * repeats))
    return replace(choice, chosen=chosen, again=fresh)


def train_again(session: Session, trained: TrainedCells, origin: str, runs: Sequence[int]) -> TrainedCells:
    """Train cells from the seeds of further runs; returns all cells of the first run, then those of the next."""
    cells = trained.cells[np.tile(np.arange(len(trained)), len(runs))]
    of_each = np.repeat(np.asarray(runs), len(trained)).tolist()
    source = Source("bootstrap", origin, session.config.estimator.rounds + 1, tuple(f"run {run}" for run in of_each))
    settings = Settings.of_search(session)
    settings = replace(settings, seed=[run_seed(session.config.seed, run) for run in of_each])
    return train_cells(session, cells, source, settings=settings)


def noise_of(choices: Sequence[Choice]) -> Noise | None:
    """Return the noise of one training, from all trainings but the first ones; None where there are too few.

    A training that several choices share counts once. The trainings after a choice are a group of their own.
    """
    scores: dict[tuple[str, int, bool], float] = {}
    for choice in choices:
        for place, row in zip(choice.finalists, choice.scores, strict=True):
            key = choice.trained.key[place]
            scores |= {(key, run, False): score for run, score in enumerate(row[1:], start=1)}
        key = choice.trained.key[choice.chosen]
        scores |= {(key, run, True): score for run, score in enumerate(choice.again.score)}
    known = {name: score for name, score in scores.items() if np.isfinite(score)}
    groups = np.array([f"{key} {after}" for key, _, after in known])
    if len(groups) == len(set(groups)):
        return None
    return Noise.of(np.array(list(known.values())), groups)
