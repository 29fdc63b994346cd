"""Long trainings that workers do side by side, before their stage reads them from their checkpoints.

A finished training is read from its checkpoint without a step, so nothing else of a stage differs: files and runs are
those of a stage that trains one network after the other. Weights differ by rounding where that one uses several cores.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from prefect import Task

from flows.runtime.engines.engine import Engine
from flows.runtime.engines.far_progress import FarProgress
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.files import written_whole
from nasgem_core.training.checkpoint import LAST
from tasks.run.progress import progress_bar, say
from tasks.stages.worker_training import WorkerTraining
from tasks.store.checkpoints import is_refreshing

Rows = Sequence[Mapping[str, float]]
"""Reports of a training."""
T = TypeVar("T")


@dataclass(frozen=True)
class Workers:
    """Who does trainings.

    Args:
        engine: runs a flow, whose tasks these are.
        device: of the workers of this machine; these take several GPUs in turn.
    """

    engine: Engine
    device: str

    def help_with(self, trainings: int) -> bool:
        """Say whether so many trainings are done earlier by the workers than one after the other in this process."""
        if not self.engine.sees_folder:
            return trainings > 0
        # One training uses all cores or one GPU here, and a core or one GPU in a worker.
        most = torch.cuda.device_count() if self.device == "cuda" else self.engine.workers
        return self.device in ("cpu", "cuda") and trainings >= min(most, self.engine.workers) > 1


def train_side_by_side(
    workers: Workers,
    task: Task[..., dict[str, Any]],
    trainings: Sequence[T],
    work: Callable[[Sequence[T]], Sequence[WorkerTraining]],
    on_rows: Callable[[str, Rows], None] = lambda *_: None,
) -> None:
    """Have workers do those of the trainings that are not finished, if that is faster; leave their checkpoints here.

    Args:
        workers: who does them.
        task: does one; its result has the `checkpoint`.
        trainings: which ones.
        work: returns them as workers do them; it is called only where these may help, because it builds each network.
        on_rows: called with the name and new reports of a training.

    Raises:
        NasgemError: a worker was ended from outside, the engine cannot go on, or memory does not suffice.
    """
    # Whatever is read of a training that is refreshed would be done again.
    if is_refreshing() or not workers.help_with(len(trainings)):
        return
    unfinished, returned = [each for each in work(trainings) if not each.is_finished], not workers.engine.sees_folder
    if returned and any(each.only_here for each in unfinished):
        say("  networks that begin with trained weights are trained here: the cluster does not have these weights")
        unfinished = [each for each in unfinished if not each.only_here]
    if not workers.help_with(len(unfinished)):
        return
    say(f"  {len(unfinished)} networks are trained side by side")
    inputs = [{**training.inputs, "returned": returned} for training in unfinished]
    finished, reported = set[int](), [0] * len(unfinished)
    progress = FarProgress(workers.engine, [training.folder for training in unfinished])

    def look() -> None:
        steps = 0
        for place, (training, found) in enumerate(zip(unfinished, progress.look(), strict=True)):
            steps += max(0, found.step)
            if len(found.history) > reported[place]:
                on_rows(training.name, found.history[reported[place] :])
                reported[place] = len(found.history)
        bar.update(steps, {"finished": len(finished)})

    def on_result(place: int, result: Mapping[str, Any]) -> None:
        if result["checkpoint"] is not None:
            with written_whole(unfinished[place].folder / LAST) as file:
                file.write(result["checkpoint"].tobytes())
        finished.add(place)
        look()

    name, steps = f"training {len(unfinished)} networks", sum(training.steps for training in unfinished)
    with progress_bar(name, steps) as bar:
        run_side_by_side(workers.engine, task, inputs, on_result, on_wait=look)
