"""Stage `estimator` (paper 3.2): rounds of training cells and fitting the predictor to all that is known.

Round 0 trains known blocks and random cells. Each later round trains what the predictor ranks highest, with some random
cells, and how well it ranked them is reported before they join the set.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flows.runtime.session import Session, stage_flow
from flows.stages.possible_cells import possible_blocks, random_stream, ruled_out_metrics, say_ruled_out
from flows.stages.train_cells import Source, train_cells
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.known_blocks import BLOCKS
from nasgem_core.config.choices import OBJECTIVES
from nasgem_core.errors import DataError
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.search.label_quality import LabelQuality
from nasgem_core.search.perceptron import MINIMUM_ROWS
from nasgem_core.search.ranking import prediction_error, rank_correlation
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.records import finite
from tasks.run.progress import say
from tasks.stages.bootstrap import Draw, best_candidates
from tasks.stages.earlier import earlier_searches
from tasks.stages.encoder import GUIDED, encoder_value, read_encoder
from tasks.stages.predictor import fit_predictor_task, predictor_of, write_predictor
from tasks.stages.scorer import ScorerValue, fit_scorer, predict_task, write_scorer
from tasks.stages.trained import ESTIMATOR_FILE, KNOWN, PREDICTED, RANDOM, TrainedCells, write_trained
from tasks.store.artifacts import METRICS, write_json

METRICS_FILE = METRICS / "estimator.json"


@stage_flow("estimator")
def estimator(session: Session) -> None:
    """Read data/encoder, write data/estimator."""
    config = session.config.estimator
    rounds = _Rounds(session)
    drawn = random_stream(session, config.initial + config.rounds * config.random)
    rounds.rule_out("random cells", drawn.ruled_out)
    stream = drawn.cells
    if config.known:
        rounds.train_known()
    rounds.train(stream[: config.initial], Source("estimator", RANDOM))
    rounds.fit()
    for number in range(1, config.rounds + 1):
        rounds.number = number
        start = config.initial + (number - 1) * config.random
        rounds.train_picks(stream[start : start + config.random])
        rounds.report()
        rounds.fit()
        if rounds.stalled() and number < config.rounds:
            say(
                f"  the rounds end after {number} of {config.rounds}: none of the last {config.patience} brought "
                "a cell that the predictor expects to be better than earlier ones"
            )
            break
    write_trained(ESTIMATOR_FILE, rounds.trained)
    write_predictor(rounds.predictor)
    write_scorer(rounds.scorer)
    for line in rounds.labels.warnings():
        say(f"  {line}")
    write_json(METRICS_FILE, "nasgem.metrics/1", rounds.summary())
    network = predictor_of(rounds.predictor)
    session.records.stage(
        "estimator",
        finite(rounds.summary()),
        curves=[(name, row[name], row["round"]) for row in rounds.reports for name in finite(row)],
        artifacts=[METRICS_FILE, ESTIMATOR_FILE, FullyConnectedModel.from_modules("predictor", *network.modules())],
    )


def check_parameters(session: Session) -> None:
    """Raise `NasgemError` if a plug-in or an earlier search cannot be read, or too few cells can meet the budget."""
    earlier_searches(session.config)
    for name in session.config.cells.operations:
        OPERATIONS.get(name)
    OBJECTIVES.get(session.config.score.objective)
    if session.config.estimator.known:
        for name in BLOCKS.names():
            BLOCKS.get(name)
    if session.config.score.budget:
        config = session.config.estimator
        random_stream(session, config.initial + config.rounds * config.random)


@dataclass
class _Rounds:
    """The growing set of trained cells and the predictor fitted to it."""

    session: Session
    number: int = 0
    reports: list[dict[str, Any]] = field(default_factory=list)
    predictor: dict[str, Any] = field(default_factory=dict)
    """The paper's, whatever picks the cells: figures and reports show it as well."""
    scorer: ScorerValue = field(default_factory=dict)
    """What picks the cells."""
    ruled_out: Counter[str] = field(default_factory=Counter)
    """Cells that were left out, for each obstacle."""

    def __post_init__(self) -> None:
        self.trained = TrainedCells.none(self.session.config.cells)
        self.encoder = read_encoder(GUIDED)

    def train_known(self) -> None:
        """Train the known blocks of the search space."""
        space = self.session.config.cells
        blocks, ruled_out = possible_blocks(self.session)
        self.rule_out("known blocks", ruled_out)
        cells = CellBatch.from_cells([block.cell for block in blocks], space.operations, space.vertices)
        # They come first: none of them is in the set yet, so each keeps its name.
        self.train(cells, Source("estimator", KNOWN, names=tuple(block.title for block in blocks)))

    def rule_out(self, what: str, ruled_out: Counter[str]) -> None:
        """Note and report cells that cannot be part of the search."""
        self.ruled_out += ruled_out
        say_ruled_out(what, ruled_out)

    def train(self, cells: CellBatch, source: Source, predicted: np.ndarray | None = None) -> None:
        """Train the cells that are not in the set yet and add them."""
        new = np.flatnonzero(~np.isin(cells.keys, self.trained.key.astype(str)))
        if len(new):
            expected = None if predicted is None else predicted[new]
            self.trained = TrainedCells.concatenate(
                [self.trained, train_cells(self.session, cells[new], source, expected)]
            )

    def train_picks(self, random_cells: CellBatch) -> None:
        """Train the predictor's best candidates, and random cells, whose predictions are noted as well."""
        config = self.session.config
        if config.estimator.predicted:
            seed = derive_seed(config.seed, "estimator", self.number)
            wanted = config.estimator
            draw = Draw(wanted.candidates, wanted.predicted, seed, edited=wanted.edited)
            found = best_candidates(self.scorer, config.cells, self.session.objective, draw, self.trained)
            self.rule_out("predicted cells", Counter(found.ruled_out))
            self.train(found.cells, Source("estimator", PREDICTED, self.number), found.predicted)
        if len(random_cells):
            self.train(random_cells, Source("estimator", RANDOM, self.number), self.predict(random_cells))

    def predict(self, cells: CellBatch) -> np.ndarray:
        """Return the scores that the predictor which picks cells gives these, [B]."""
        objective = self.session.objective
        return predict_task(self.scorer, cells, objective.costs(cells), objective.penalty)["predicted"]

    def report(self) -> None:
        """Note how well this round's cells were ranked by the predictor that had not seen them."""
        usable = self.trained.usable
        new, before = usable[usable.round == self.number], usable[usable.round < self.number]
        perceptron = self.perceptron_predictions(new.cells) if len(new) else np.empty(0)
        self.reports.append(
            {
                "round": self.number,
                "new_cells": len(new),
                **rank_correlation(new.predicted, new.score),
                **prediction_error(new.predicted, new.score, float(before.score.mean())),
                "perceptron_kendall_tau": rank_correlation(perceptron, new.score)["kendall_tau"],
            }
        )

    def perceptron_predictions(self, cells: CellBatch) -> np.ndarray:
        """Return the scores that the paper's predictor, fitted before these cells were trained, gives them."""
        objective, embeddings = self.session.objective, self.encoder.embed(cells)
        return predictor_of(self.predictor).predict(embeddings, objective.costs(cells), objective.penalty)

    def fit(self) -> None:
        """Fit both predictors to all cells of the set; raises `DataError` where too few trainings succeeded."""
        config, usable = self.session.config, self.trained.usable
        if len(usable) < MINIMUM_ROWS:
            failed = self.trained[self.trained.failed]
            raise DataError(
                f"{len(failed)} of {len(self.trained)} trainings failed ({failed.reason[0]}): "
                "too few are left to go on with; change proxy.learning_rate, or raise estimator.initial"
            )
        measured = usable.measured(self.session.objective)
        encoder, seed = encoder_value(self.encoder), derive_seed(config.seed, "predictor", self.number)
        self.predictor = fit_predictor_task(encoder, usable.cells, measured, config.predictor, seed)
        self.scorer = fit_scorer(config, usable.cells, measured, encoder=encoder, seed=seed)

    def stalled(self) -> bool:
        """Note what the round has gained, and return whether the last `estimator.patience` rounds gained nothing.

        The best measurement rises with the number of cells by noise alone. So the best cell of a round is compared with
        the best earlier one by what the predictor, fitted to the measurements of all of them, expects of both.
        """
        patience, usable = self.session.config.estimator.patience, self.trained.usable
        if not patience:
            return False
        expected, new = self.predict(usable.cells), usable.round == self.number
        self.reports[-1]["gain"] = float(expected[new].max() - expected[~new].max()) if new.any() else 0.0
        gains = [row["gain"] for row in self.reports[-patience:]]
        return len(gains) == patience and max(gains) <= 0

    @property
    def labels(self) -> LabelQuality:
        """Whether the cells that were trained suffice to rank others."""
        usable = self.trained.usable
        foreseen = usable[np.isfinite(usable.predicted)]
        images = len(self.session.images.validation_labels)
        return LabelQuality.of(
            foreseen.predicted,
            foreseen.score,
            picked=usable.score[usable.origin == PREDICTED],
            random=usable.score[usable.origin == RANDOM],
            accuracies=usable.accuracy,
            images=images,
        )

    def summary(self) -> dict[str, Any]:
        """Return the stage's metrics."""
        return {
            "trained_cells": len(self.trained),
            "failed_cells": int(self.trained.failed.sum()),
            "best_score": float(np.nanmax(self.trained.score)),
            "lipschitz_bound": predictor_of(self.predictor).lipschitz_bound(),
            "rounds": self.reports,
            **self.labels.metrics(),
            **ruled_out_metrics(self.session.config.score, self.ruled_out),
        }
