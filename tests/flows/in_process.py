"""A search without Prefect, MLflow or trainings: its stages run in this process, and accuracies are made up."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect import Task

from flows import selection
from flows.runtime import session as sessions
from flows.runtime.engines.processes import ProcessPool
from flows.runtime.session import Session
from flows.stages import bootstrap, encoder, estimator, labels, nasgem_bench, pairs, possible_cells, report, train_cells
from nasgem_core.config.search import (
    BootstrapConfig,
    CellsConfig,
    EncoderConfig,
    EstimatorConfig,
    PairsConfig,
    PredictorConfig,
    ProxyConfig,
    ScoreConfig,
    SearchConfig,
)
from nasgem_core.config.transfer import GemnetConfig
from nasgem_core.predictors import process_scorer
from nasgem_core.seeding import derive_seed
from nasgem_core.training.image_set import ImageSet
from tasks.mlflow_runs.records import SearchRecords
from tasks.run.placement import Placement
from tasks.stages import bootstrap as bootstrap_tasks
from tasks.stages import report_encoder, scorer
from tests.tasks.stores import FakeTracking

STAGES = (pairs.pairs, labels.labels, encoder.encoder, estimator.estimator, bootstrap.bootstrap, report.report)
IMAGES = ImageSet(
    *(part for _ in range(2) for part in (np.zeros((4, 16, 16, 3), np.uint8), np.arange(4))), tuple("abcd")
)


def small_config(objective: str, budget: str = "", predictor: str = "gaussian_process") -> SearchConfig:
    """Return parameters of a search of seconds."""
    return SearchConfig(
        cells=CellsConfig(vertices=6, edge_probability=(0.2, 0.6)),
        pairs=PairsConfig(count=100),
        encoder=EncoderConfig(dimension=4, hidden=(8,), iterations=5, batch_size=32),
        proxy=ProxyConfig(width=2, stages=(1, 2), epochs=2, least_steps=0),
        score=ScoreConfig(objective=objective, budget=budget),
        gemnet=GemnetConfig(layout="tiny", skeleton="mobile", image_size=64),
        predictor=PredictorConfig(kind=predictor, target="accuracy", hidden=(8,), iterations=20, members=2),
        estimator=EstimatorConfig(initial=6, rounds=1, predicted=2, random=2, candidates=60),
        bootstrap=BootstrapConfig(candidates=80, top=2, finalists=3, baseline=True),
    )


def made_up_result(cell: Any, seed: int = 0) -> dict[str, Any]:
    """Return the result of a training that was none; cells whose keys begin with 0 fail.

    With another seed than that of the search the accuracy is up to .05 lower.
    """
    failed = cell.canonical_key.startswith("0")
    noise = derive_seed(seed, cell.canonical_key) / 2**63 if seed else 0.0
    accuracy = float("nan") if failed else 0.3 + int(cell.canonical_key[:4], 16) / 2**18 - 0.05 * noise
    return {
        "accuracy": accuracy,
        "failed": failed,
        "reason": "the loss was nan" if failed else "",
        "epoch_losses": [2.0, 1.0],
        "epoch_accuracies": [accuracy / 2, accuracy],
        "seconds": 1.5,
        "images_per_second": 100.0,
    }


def train_nothing(
    _engine: Any, _task: Any, inputs: Sequence[dict[str, Any]], on_result: Callable[[int, Any], None], **_: Any
) -> None:
    """Give the results last to first, as workers might."""
    for place in reversed(range(len(inputs))):
        on_result(place, made_up_result(inputs[place]["cell"], inputs[place]["seed"]))


def open_small_session(patch: pytest.MonkeyPatch, config: SearchConfig) -> tuple[Session, FakeTracking]:
    """Make a session the current one, and have its stages run in this process, in the current folder."""
    for module in (
        selection,
        bootstrap,
        bootstrap_tasks,
        encoder,
        estimator,
        labels,
        nasgem_bench,
        pairs,
        possible_cells,
        report_encoder,
        scorer,
    ):
        for name, value in vars(module).items():
            if isinstance(value, Task):
                patch.setattr(module, name, value.fn)
    patch.setattr(train_cells, "run_side_by_side", train_nothing)
    patch.setattr(process_scorer, "_REFERENCE", 200)
    tracking = FakeTracking()
    session = Session(config, Placement(), ProcessPool(1))
    session.__dict__ |= {
        "images": IMAGES,
        "records": SearchRecords(tracking, Path.cwd(), config, IMAGES.content_hash),
    }
    patch.setattr(sessions, "_current", [session])
    return session, tracking


def run_stages() -> None:
    """Run the stages of a search that need no other data."""
    for stage in STAGES:
        stage.fn()
