"""Stage `finalists`: the best cells of the search, compared on the target's images by successive halving.

The search judges cells by a proxy, and its best ones are closer together than the proxy can tell. So their networks are
built at the target's budget and trained on its images, all of them a little and the best of them further. They are
judged on training images that are held out, because stage `imagenet` reports its results on the validation images.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from flows.runtime.session import Session, stage_flow
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from nasgem_core.search.halving import Halving, Judgement, halve
from nasgem_core.search.target_networks import TargetNetworks
from nasgem_core.training.image_files import list_image_files
from tasks.mlflow_runs.records import TrainingRun, curve_points, finite
from tasks.mlflow_runs.run_record import Dataset
from tasks.run.placement import Placement
from tasks.run.progress import progress_bar, say
from tasks.stages.best_cell import FINALIST_FILE, read_searched_cell, remove_finalist, write_finalist
from tasks.stages.finalist_training import middle_rate, plan_finalist, train_finalist
from tasks.stages.finalists import network_of, pick_finalists
from tasks.stages.finalists_results import (
    METRICS_FILE,
    TABLE_FILE,
    Finalist,
    no_finalists,
    summary_of,
    table_of,
    write_finalists,
)
from tasks.stages.finalists_words import agreement_words, choice_words, cost_words, finalists_summary


@stage_flow("finalists")
def finalists(session: Session) -> None:
    """Read data/estimator and data/bootstrap, write data/finalists."""
    config = session.config
    reason = _why_skipped(config)
    if reason:
        say(f"  skipped: {reason}")
        remove_finalist()
        write_finalists(no_finalists(), {"cells": 0})
        session.records.stage("finalists", {}, artifacts=[METRICS_FILE, TABLE_FILE])
        return
    images, _ = list_image_files(Path(config.imagenet.dataset))
    if images.remark:
        say(f"  {images.remark}", once=True)
    session.records.begin("finalists")
    searched, ruled_out = read_searched_cell(), list[str]()

    def rule_out(key: str, why: str) -> None:
        ruled_out.append(key)
        say(f"  cell {key[:8]} is ruled out: {why}")

    target = session.networks if config.score.budget else None
    networks = target if isinstance(target, TargetNetworks) else None

    def build(cell: Cell) -> GEMNetSpec:
        return network_of(cell, config, len(images.classes), networks)

    picked = pick_finalists(config, searched, build, rule_out)
    trainings = _Trainings(session, picked, images.digest)
    halving = halve(len(picked), config.finalists.rungs, config.finalists.keep, trainings.judge)
    trainings.log(range(len(picked)))
    _require_one(config, halving)
    schedule = config.finalists.rungs[-1]
    reasons = [trainings.results.get(place, {}).get("reason", "") for place in range(len(picked))]
    summary = summary_of(picked, halving, searched, schedule=schedule, ruled_out=len(ruled_out))
    write_finalists(table_of(picked, halving, reasons), summary)
    write_finalist(picked[halving.order[0]].spec.cell, searched)
    _say_result(trainings)
    metrics = finite(summary)
    for rung in summary["rungs"]:
        metrics |= finite({f"rung_{rung['until']}.{name}": value for name, value in rung.items()})
    files = [METRICS_FILE, TABLE_FILE, FINALIST_FILE]
    inputs = [Dataset("imagenet", images.digest, config.imagenet.dataset)]
    session.records.stage("finalists", metrics, artifacts=files, inputs=inputs)


def _why_skipped(config: SearchConfig) -> str:
    if not config.imagenet.dataset:
        return "imagenet.dataset is not set; set it to a folder of images"
    return "" if config.finalists.cells else "finalists.cells is 0; set it to the number of cells to compare"


def _require_one(config: SearchConfig, halving: Halving) -> None:
    if halving.rungs and not halving.reached.any():
        raise ParameterError(
            f"imagenet.learning_rates = {list(config.imagenet.learning_rates)}: the trainings of all finalists "
            f"diverged with {middle_rate(config.imagenet):g}, the middle one; lower them"
        )


def _say_result(trainings: "_Trainings") -> None:
    summary = finalists_summary()
    for words in filter(None, (choice_words(summary), agreement_words(summary), cost_words(summary))):
        say(f"  {words}")
    broken = max((result["broken"] for result in trainings.results.values()), default=0)
    if broken:
        say(f"  {broken} images could not be read and were skipped")


class _Trainings:
    """The trainings of one comparison: done by the workers, kept, and logged when they do not go on.

    Args:
        session: parameters, workers and records.
        finalists: the cells.
        images_hash: of the training images.
    """

    def __init__(self, session: Session, finalists: Sequence[Finalist], images_hash: str) -> None:
        self._session, self._finalists, self._images_hash = session, finalists, images_hash
        self._logged: set[int] = set()
        self.results: dict[int, dict[str, Any]] = {}
        """The last result of each finalist, by its position."""

    def judge(self, places: Sequence[int], until: int) -> list[Judgement]:
        """Train the finalists at these positions up to so many epochs."""
        self.log(place for place in self.results if place not in places)
        config = self._session.config
        placement = Placement(device=self._session.placement.device, images=config.imagenet.dataset)
        plans = [
            plan_finalist(self._finalists[place].spec, config.imagenet, config.finalists.rungs[-1], config.seed)
            for place in places
        ]
        inputs = [
            {"training": plan, "images_hash": self._images_hash, "until": until, "placement": placement}
            for plan in plans
        ]
        done: dict[int, float] = {}

        def on_result(index: int, result: dict[str, Any]) -> None:
            self.results[places[index]] = result
            done[index] = -1.0 if result["failed"] else result["top1"]
            bar.update(len(done), {"best top1": max(done.values())})

        with progress_bar(f"training finalists to epoch {until}", len(places)) as bar:
            run_side_by_side(self._session.engine, train_finalist, inputs, on_result)
        return [Judgement(self.results[place]["top1"], self.results[place]["validation_loss"]) for place in places]

    def log(self, places: Iterable[int]) -> None:
        """Log the trainings of finalists that do not go on, each once."""
        for place in sorted({*places} & self.results.keys() - self._logged):
            each, result = self._finalists[place], self.results[place]
            params = {"cell": each.key, "origin": each.origin, "mean_proxy_score": each.score}
            run = TrainingRun("finalists", each.spec.name, params)
            if result["failed"]:
                self._session.records.training_stopped(run, "FAILED")
            else:
                self._session.records.training(run, curve_points(result["history"]), finished=True)
            self._logged.add(place)
