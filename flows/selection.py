"""Another penalty or a budget of MACs, without training anything: choose among what is known and what is predicted."""

from dataclasses import replace
from typing import Any

import pandas as pd
from prefect import flow

from flows.runtime.session import Session, open_session
from nasgem_core.errors import DataError
from nasgem_core.search.score import efficiency_score
from nasgem_core.seeding import derive_seed
from tasks.stages.bootstrap import bootstrap_task, candidate_cells
from tasks.stages.encoder import GUIDED, encoder_value
from tasks.stages.results import Results, write_selected
from tasks.stages.scorer import fit_scorer
from tasks.stages.trained import with_latency


@flow(name="select")
def select(penalty: float, max_macs: int, top: int) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the trained cells within the budget by their new score, and the best predicted untrained ones.

    The predictor is fitted again on accuracies (seconds), because the MAC term is exact and needs no predicting.

    Args:
        penalty: lambda of Eq. 5.
        max_macs: bound on the multiply-adds of a network, 0 for none.
        top: number of predicted cells.

    Raises:
        DataError: no cell keeps the budget.
    """
    with open_session() as session:
        return _select(session, penalty, max_macs, top)


def _select(session: Session, penalty: float, max_macs: int, top: int) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    results = Results(session.config)
    table = results.distinct[~results.distinct["failed"]].copy()
    cost = session.cost.of(results.batch(table))
    table = with_latency(table, cost, session.cost.sources(results.batch(table)))
    table["score"] = efficiency_score(table["accuracy"].to_numpy(), cost, penalty)
    within = table[table["macs"] <= max_macs] if max_macs else table
    scorer = fit_scorer(
        encoder_value(results.encoders[GUIDED]),
        results.batch(table),
        table["accuracy"].to_numpy(dtype=float),
        cost,
        replace(session.config.predictor, target="accuracy"),
        session.config.cells,
        penalty,
        derive_seed(session.config.seed, "select"),
        session.config.seed,
    )
    found = bootstrap_task(
        scorer,
        session.config.cells,
        session.layout,
        len(session.images.classes),
        session.config.bootstrap.candidates,
        top,
        penalty,
        max_macs,
        sorted(results.distinct["key"]),
        derive_seed(session.config.seed, "select"),
        session.cost.value,
    )
    cells = candidate_cells(found)
    predicted = [
        {"cell": cell, "predicted": float(score), "macs": int(macs)}
        for cell, score, macs in zip(cells, found["predicted"], found["macs"], strict=True)
    ]
    if session.cost.model is not None:
        predicted = [
            {**cell, "latency_ms": float(cost) / 1e6}
            for cell, cost in zip(predicted, session.cost.told(cells), strict=True)
        ]
    if not len(within) and not predicted:
        raise DataError(f"no cell has at most {max_macs / 1e6:g} M MACs: raise the budget")
    write_selected(list(cells))
    return within.sort_values("score", ascending=False, kind="stable").reset_index(drop=True), predicted
