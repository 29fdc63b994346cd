"""Training many cells, each once; every result is logged and shown as it comes."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from flows.runtime.session import Session
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import ProxyConfig
from nasgem_core.search.objective import Objective
from nasgem_core.search.target_networks import TargetNetworks
from nasgem_core.training.proxy import ProxyResult
from tasks.run.progress import progress_bar, say
from tasks.stages.proxy import train_proxy
from tasks.stages.small_gemnet import train_small_gemnet
from tasks.stages.trained import TrainedCells


@dataclass(frozen=True)
class Source:
    """Where cells come from.

    Args:
        stage: the one that trains them.
        origin: a word for what chose them.
        number: the round.
        names: of the cells, where they have some: they follow the origin.
    """

    stage: str
    origin: str
    number: int = 0
    names: tuple[str, ...] = ()

    def origins(self, places: Sequence[int]) -> list[str]:
        """Return where the cells at these places came from."""
        return [f"{self.origin}: {self.names[place]}" if self.names else self.origin for place in places]


@dataclass(frozen=True)
class Settings:
    """How cells are trained and scored.

    Args:
        objective: what their scores charge.
        training: how a cell becomes a network and is trained.
        seed: root of the seeds of the trainings, one for all or one for each: another one trains the same cell again.
    """

    objective: Objective
    training: ProxyConfig
    seed: int | Sequence[int]

    @classmethod
    def of_search(cls, session: Session) -> "Settings":
        """Return how the search trains its cells."""
        return cls(session.objective, session.config.proxy, session.config.seed)


def train_cells(
    session: Session,
    cells: CellBatch,
    source: Source,
    predicted: np.ndarray | None = None,
    settings: Settings | None = None,
) -> TrainedCells:
    """Train every cell of a batch that was not trained before with its seed; return all of them, in order.

    Args:
        session: images, placement and records.
        cells: B cells; those with the same seed differ up to isomorphism.
        source: where they come from.
        predicted: [B] scores predicted before training, if there are any.
        settings: how they are trained; as in the search by default.
    """
    settings = settings or Settings.of_search(session)
    representatives = CellBatch.from_cells(
        [cell.canonical_form() for cell in cells], cells.operation_names, cells.width
    )
    task, inputs = _planned(session, representatives, settings)
    results: dict[int, dict[str, Any]] = {}
    notes: Counter[str] = Counter()
    best = float("nan")

    def trained(places: Sequence[int]) -> TrainedCells:
        return TrainedCells.of(
            representatives[places],
            [results[place] for place in places],
            settings.objective,
            origin=source.origins(places),
            number=source.number,
            predicted=None if predicted is None else predicted[places],
        )

    def on_result(place: int, result: dict[str, Any]) -> None:
        nonlocal best
        results[place] = result
        if result.get("note"):
            notes[result["note"]] += 1
        row = trained([place]).row(0)
        session.records.cell(source.stage, row, result)
        best = float(np.fmax(best, row["score"]))
        bar.update(len(results), {"best score": best} if np.isfinite(best) else None)

    with progress_bar(f"training cells, {source.origin}", len(cells)) as bar:
        run_side_by_side(session.engine, task, inputs, on_result, instead=_lost)
    for note, count in notes.items():
        say(f"  {count} of {len(cells)} were trained {note}")
    return trained(range(len(cells)))


def _lost(reason: str) -> dict[str, Any]:
    """Return the result of a training that no worker survived, or that no device has the memory for."""
    return asdict(
        ProxyResult(
            accuracy=math.nan,
            failed=True,
            reason=reason,
            epoch_losses=(),
            epoch_accuracies=(),
            seconds=math.nan,
            images_per_second=math.nan,
        )
    )


def _planned(session: Session, cells: CellBatch, settings: Settings) -> tuple[Any, list[dict[str, Any]]]:
    """Return the task that trains a cell, and its inputs for each of these."""
    seeds = [settings.seed] * len(cells) if isinstance(settings.seed, int) else settings.seed
    inputs: list[dict[str, Any]] = [
        {
            "cell": cell,
            "images_hash": session.images.content_hash,
            "config": settings.training,
            "seed": seed,
            "placement": session.placement,
        }
        for cell, seed in zip(cells, seeds, strict=True)
    ]
    networks = settings.objective.networks
    if not isinstance(networks, TargetNetworks):
        return train_proxy, inputs
    small = [{"frame": networks.small, "channels": networks.small_channels(cell)} for cell in cells]
    return train_small_gemnet, [{**given, **network} for given, network in zip(inputs, small, strict=True)]
