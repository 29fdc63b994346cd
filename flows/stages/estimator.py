"""Stage `estimator` (paper 3.2): rounds of training cells and fitting the predictor to all that is known.

Round 0 trains random cells. Each later round trains what the predictor ranks highest, with some random cells, and how
well it ranked them is reported before they join the set.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from flows.runtime.session import Session, stage_flow
from flows.stages.train_cells import train_cells
from nasgem_core.cells.batch import CellBatch
from nasgem_core.errors import DataError
from nasgem_core.search.perceptron import MINIMUM_ROWS
from nasgem_core.search.ranking import prediction_error, rank_correlation
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.records import finite
from tasks.stages.bootstrap import bootstrap_task, candidate_cells
from tasks.stages.cells import sample_cells_task, sampled_cells
from tasks.stages.encoder import GUIDED, encoder_value, read_encoder
from tasks.stages.predictor import fit_predictor_task, predictor_of, write_predictor
from tasks.stages.scorer import ScorerValue, check_kind, fit_scorer, predict_task, write_scorer
from tasks.stages.trained import ESTIMATOR_FILE, PREDICTED, RANDOM, cells_of, trained_table, write_trained
from tasks.store.artifacts import METRICS, write_json

METRICS_FILE = METRICS / "estimator.json"


@stage_flow("estimator")
def estimator(session: Session) -> None:
    """Read data/encoder, write data/estimator."""
    config = session.config.estimator
    check_kind(session.config.predictor, session.config.cells)
    rounds = _Rounds(session)
    stream = random_stream(session, config.initial + config.rounds * config.random)
    rounds.train(stream[: config.initial], RANDOM)
    rounds.fit()
    for number in range(1, config.rounds + 1):
        rounds.begin(number)
        start = config.initial + (number - 1) * config.random
        rounds.train_picks(stream[start : start + config.random])
        rounds.report()
        rounds.fit()
    write_trained(ESTIMATOR_FILE, rounds.table)
    write_predictor(rounds.predictor)
    write_scorer(rounds.scorer)
    write_json(METRICS_FILE, "nasgem.metrics/1", rounds.summary())
    network = predictor_of(rounds.predictor)
    session.records.stage(
        "estimator",
        finite(rounds.summary()),
        curves=[(name, row[name], row["round"]) for row in rounds.reports for name in finite(row)],
        artifacts=[METRICS_FILE, ESTIMATOR_FILE, FullyConnectedModel.from_modules("predictor", *network.modules())],
    )


def random_stream(session: Session, count: int) -> CellBatch:
    """Return the first cells of the search's stream of random cells; random search takes its cells from it too."""
    config = session.config
    return sampled_cells(sample_cells_task(config.cells, count, derive_seed(config.seed, "cells")))


@dataclass
class _Rounds:
    """The growing set of trained cells and the predictor fitted to it."""

    session: Session
    number: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    predictor: dict[str, Any] = field(default_factory=dict)
    """The paper's, whatever picks the cells: figures and reports show it beside."""
    scorer: ScorerValue = field(default_factory=dict)
    """What picks the cells."""

    def __post_init__(self) -> None:
        self.encoder = read_encoder(GUIDED)

    @property
    def table(self) -> pd.DataFrame:
        return trained_table(self.rows)

    @property
    def keys(self) -> list[str]:
        return [row["key"] for row in self.rows]

    def begin(self, number: int) -> None:
        self.number = number

    def train(self, cells: CellBatch, origin: str, predicted: np.ndarray | None = None) -> None:
        known = set(self.keys)
        new = [i for i, cell in enumerate(cells) if cell.canonical_key not in known]
        if new:
            expected = None if predicted is None else predicted[new]
            self.rows += train_cells(self.session, cells[new], "estimator", origin, self.number, expected)

    def train_picks(self, random_cells: CellBatch) -> None:
        """Train the predictor's best candidates, and random cells with their predictions noted as well."""
        config = self.session.config
        if config.estimator.predicted:
            found = bootstrap_task(
                self.scorer,
                config.cells,
                self.session.layout,
                len(self.session.images.classes),
                config.estimator.candidates,
                config.estimator.predicted,
                config.score.penalty,
                0,
                sorted(self.keys),
                derive_seed(config.seed, "estimator", self.number),
                self.session.cost.value,
            )
            self.train(candidate_cells(found), PREDICTED, found["predicted"])
        if len(random_cells):
            self.train(random_cells, RANDOM, self.predict(random_cells))

    def predict(self, cells: CellBatch) -> np.ndarray:
        cost = self.session.cost.of(cells)
        return predict_task(self.scorer, cells, cost, self.session.config.score.penalty)["predicted"]

    def report(self) -> None:
        """Say how well this round's cells were ranked by the predictor that had not seen them."""
        new = self.table[(self.table["round"] == self.number) & ~self.table["failed"]]
        predicted, measured = new["predicted"].to_numpy(), new["score"].to_numpy()
        before = self.table[(self.table["round"] < self.number) & ~self.table["failed"]]
        guess = float(before["score"].mean())
        beside = self.perceptron(new) if len(new) else np.empty(0)
        self.reports.append(
            {
                "round": self.number,
                "new_cells": len(new),
                **rank_correlation(predicted, measured),
                **prediction_error(predicted, measured, guess),
                "perceptron_kendall_tau": rank_correlation(beside, measured)["kendall_tau"],
            }
        )

    def perceptron(self, table: pd.DataFrame) -> np.ndarray:
        """Return the scores that the paper's predictor, fitted before these cells were trained, gives them."""
        config = self.session.config
        cells = cells_of(table, config.cells.operations, config.cells.vertices)
        cost = self.session.cost.of(cells)
        return predictor_of(self.predictor).predict(self.encoder.embed(cells), cost, config.score.penalty)

    def fit(self) -> None:
        config = self.session.config
        failed = self.table["failed"]
        usable = self.table[~failed]
        if len(usable) < MINIMUM_ROWS:
            raise DataError(
                f"{failed.sum()} of {len(failed)} trainings failed ({self.table[failed]['reason'].iloc[0]}): "
                "too few are left to go on with; change proxy.learning_rate, or raise estimator.initial"
            )
        cells = cells_of(usable, config.cells.operations, config.cells.vertices)
        measured = usable["accuracy"].to_numpy(dtype=float), self.session.cost.of(cells)
        penalty, seed = config.score.penalty, derive_seed(config.seed, "predictor", self.number)
        encoder = encoder_value(self.encoder)
        self.predictor = fit_predictor_task(encoder, cells, *measured, config.predictor, penalty, seed)
        self.scorer = fit_scorer(encoder, cells, *measured, config.predictor, config.cells, penalty, seed, config.seed)

    def summary(self) -> dict[str, Any]:
        table = self.table
        return {
            "trained_cells": len(table),
            "failed_cells": int(table["failed"].sum()),
            "best_score": float(table["score"].max()),
            "lipschitz_bound": predictor_of(self.predictor).lipschitz_bound(),
            "rounds": self.reports,
        }
