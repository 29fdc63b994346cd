"""Training many cells, each once; a result is logged and shown as it comes."""

from typing import Any

import numpy as np

from flows.runtime.session import Session
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import ProxyConfig
from tasks.run.progress import progress_bar
from tasks.stages.proxy import costs_of, train_proxy
from tasks.stages.trained import trained_row


def train_cells(
    session: Session,
    cells: CellBatch,
    stage: str,
    origin: str,
    number: int,
    predicted: np.ndarray | None = None,
    *,
    training: ProxyConfig | None = None,
    seed: int | None = None,
) -> list[dict[str, Any]]:
    """Train every cell of a batch that was not trained before; return one row a cell, in order.

    Args:
        session: parameters and placement.
        cells: B cells that differ up to isomorphism.
        stage: the stage they belong to.
        origin: where they came from.
        number: the round.
        predicted: [B] scores predicted before training, if there are any.
        training: how a cell becomes a network and is trained; the section `proxy` by default.
        seed: root of the trainings' seeds, in place of the search's: another one trains the cells another time.
    """
    config = session.config
    training = config.proxy if training is None else training
    costs = costs_of(cells, training, session.images)
    own = training is config.proxy
    charged = session.cost.of(cells) if own else costs.macs
    sources = session.cost.sources(cells) if own else [""] * len(cells)
    representatives = [cell.canonical_form() for cell in cells]
    inputs: list[dict[str, Any]] = [
        {
            "cell": cell,
            "images_hash": session.images.content_hash,
            "config": training,
            "seed": config.seed if seed is None else seed,
            "placement": session.placement,
        }
        for cell in representatives
    ]
    rows: dict[int, dict[str, Any]] = {}

    def keep(index: int, result: dict[str, Any]) -> None:
        expected = float("nan") if predicted is None else float(predicted[index])
        cost = int(costs.macs[index]), int(costs.params[index])
        row = trained_row(
            representatives[index],
            origin,
            number,
            expected,
            result,
            cost,
            config.score.penalty,
            int(charged[index]),
            sources[index],
        )
        rows[index] = row
        session.records.cell(stage, row, result)
        scores = [row["score"] for row in rows.values() if not row["failed"]]
        bar.update(len(rows), {"best score": max(scores)} if scores else None)

    with progress_bar(f"training cells, {origin}", len(cells)) as bar:
        run_side_by_side(train_proxy, inputs, keep)
    return [rows[index] for index in range(len(cells))]
