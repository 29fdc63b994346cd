"""Another penalty or a budget of MACs, without training anything: choose among what is known and what is predicted."""

from dataclasses import dataclass, replace

import numpy as np

from flows.runtime.session import Session, open_session
from flows.runtime.stopping import answer_in_flow
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.objective import Objective
from nasgem_core.seeding import derive_seed
from tasks.stages.bootstrap import Draw, Found, best_candidates
from tasks.stages.encoder import GUIDED, encoder_value
from tasks.stages.results import Results, write_selected
from tasks.stages.scorer import fit_scorer, predict_task
from tasks.stages.trained import TrainedCells
from tasks.store.caching import plain_flow


@dataclass(frozen=True, eq=False)
class Selection:
    """What was chosen.

    Args:
        objective: with the penalty that was asked for.
        max_macs: bound on the multiply-adds of a network, 0 for none.
        measured: the N trained cells within the budget, scored by the objective, best first.
        expected: [N] what the predictor, fitted to the measurements of all trained cells, expects of their scores.
        predicted: the best predicted untrained cells within the budget.
    """

    objective: Objective
    max_macs: int
    measured: TrainedCells
    expected: np.ndarray
    predicted: Found

    @property
    def predicted_columns(self) -> dict[str, np.ndarray]:
        """What the predicted scores charge, where tables have no column for it yet."""
        name = self.objective.cost_column
        return {name: self.objective.predicted_costs(self.predicted.cells) / 1e6} if name else {}


@plain_flow("select")
def select(penalty: float | None, max_macs: int, top: int) -> Selection:
    """Return the trained cells within the budget by their new scores, and the best predicted untrained ones.

    Most cells were trained once, so the best measured ones are partly lucky. Trained cells come in the order of what
    the predictor expects of them, in which the noise of single trainings is smoothed out; where these decide in a
    search too (`bootstrap.repeats: 1`), in the order of their scores.

    The predictor is fitted again on accuracies (seconds), because the cost term is exact and needs no predicting.

    Args:
        penalty: lambda of Eq. 5; None for the one of the search.
        max_macs: bound on the multiply-adds of a network, 0 for none.
        top: number of predicted cells.

    Raises:
        DataError: no cell is within the budget.
        ParameterError: a penalty or a bound is given, and the search had a budget.
    """
    answer_in_flow()
    with open_session(only_reads=True) as session:
        return choose(session, penalty, max_macs, top)


def choose(session: Session, penalty: float | None, max_macs: int, top: int) -> Selection:
    """Do what `select` says, in a session."""
    results, objective = Results(session.config), session.objective
    if penalty is not None:
        objective = objective.with_penalty(penalty)
    if max_macs and session.config.score.budget:
        raise ParameterError(
            f"macs = {max_macs / 1e6:g}M: this search built every cell to score.budget = "
            f"{session.config.score.budget}; leave it out, or search with another budget"
        )
    known = results.distinct.usable.scored_by(objective)
    config = replace(session.config, predictor=replace(session.config.predictor, target="accuracy"))
    seed = derive_seed(config.seed, "select")
    encoder = encoder_value(results.encoders[GUIDED])
    scorer = fit_scorer(config, known.cells, known.measured(objective), encoder=encoder, seed=seed)
    draw = Draw(config.bootstrap.candidates, top, seed, max_macs, config.bootstrap.edited)
    found = best_candidates(scorer, config.cells, objective, draw, results.distinct)
    within = known[known.macs <= max_macs] if max_macs else known
    if not len(within) and not len(found.cells):
        raise DataError(f"no cell has at most {max_macs / 1e6:g} M MACs: raise the budget")
    write_selected(list(found.cells))
    expected = np.empty(0)
    if len(within):
        expected = predict_task(scorer, within.cells, objective.costs(within.cells), objective.penalty)["predicted"]
    order = np.argsort(-(within.score if config.bootstrap.repeats == 1 else expected), kind="stable")
    return Selection(objective, max_macs, within[order], expected[order], found)
