"""`nasgem compare`: cells and rivals, built to one limit, trained alike and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from flows.runtime.engines.choice import open_engine
from flows.runtime.stopping import answer_in_flow
from flows.stages.side_trainings import Workers, train_side_by_side
from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import SearchConfig
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.errors import ParameterError
from nasgem_core.training.distributed import World
from nasgem_core.training.guessing import Guessing
from nasgem_core.training.image_files import list_image_files
from tasks.run.placement import default_device, default_workers
from tasks.run.progress import progress_bar, say
from tasks.stages.classifier import Images, length_of
from tasks.stages.classifier_task import classifier_work, train_on_worker
from tasks.stages.comparison_files import read_sizes, write_comparison, write_sizes
from tasks.stages.contenders import Fit, Limit, contenders, within_latency
from tasks.stages.imagenet import ClassifierTraining, TrainedClassifier, train_classifier
from tasks.stages.imagenet_latency import measured_latencies
from tasks.stages.imagenet_results import BETTER, differences_of, summary_of
from tasks.stages.imagenet_table import LATENCY
from tasks.stages.imagenet_tuning import tune
from tasks.stages.initial_weights import check_weights, say_beginnings
from tasks.store.caching import plain_flow
from tasks.store.fingerprint import fingerprint

_PASSES = 30
"""Timed passes of a network that is sized to a latency."""
Figures = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Wanted:
    """What is to be compared.

    Args:
        cells: by the first digits of their keys.
        rivals: names of networks of any size.
        limit: what no network may exceed.
        seeds: trainings of each network.
        output: folder of the results.
    """

    cells: Mapping[str, Cell]
    rivals: Sequence[str]
    limit: Limit
    seeds: int
    output: Path


def compare(wanted: Wanted, config: SearchConfig, workers: Workers) -> tuple[Figures, Figures]:
    """Build, train and measure all networks; returns their figures, and the differences of the first to each other one.

    Every training goes on from its last checkpoint, and one that stage `imagenet` has done is read.

    Args:
        wanted: what is compared.
        config: parameters.
        workers: who does the trainings, in a flow; a process pool of one leaves them to this process.

    Raises:
        ParameterError: a network cannot keep to the limit, or weights fit none of the networks.
        DataError: there are no images, or weights to begin with cannot be read.
    """
    own = replace(config.imagenet, seeds=wanted.seeds)
    check_weights(own)
    images = list_image_files(Path(own.dataset))
    for remark in filter(None, (files.remark for files in images)):
        say(f"  {remark}")
    fits = contenders(wanted.cells, wanted.rivals, config, len(images[0].classes))
    if not fits:
        raise ParameterError("nothing to compare: name cells, or rivals by --rivals")
    specs = {name: _sized(name, fit, wanted, own) for name, fit in fits.items()}
    say_beginnings(own, list(specs.values()), images[0].classes, lambda line: say(f"  {line}"))
    planned = [
        ClassifierTraining(spec, number, own, config.seed, own.learning_rates[0])
        for number in range(own.seeds)
        for spec in specs.values()
    ]
    world = World(device=torch.device(workers.device))

    def begin(trainings: Sequence[ClassifierTraining], parts: Images) -> None:
        work = partial(classifier_work, parts=parts, images=images, device=workers.device)
        train_side_by_side(workers, train_on_worker, trainings, work)

    trainings, grids = tune(planned, images, lambda training, parts: _train(training, parts, world), before=begin)
    begin(trainings, images)
    classifiers = [_train(training, images, world) for training in trainings]
    costs = {name: count_costs(spec.build(), spec.image_size) for name, spec in specs.items()}
    guessing = Guessing.of(images[0].labels, images[1].labels, len(images[0].classes))
    summary = summary_of(classifiers, {name: (each.macs, each.params) for name, each in costs.items()}, grids, guessing)
    for name, figures in measured_latencies(specs, own.latency_passes).items():
        summary[name] |= figures
    for name, row in summary.items():
        if not row[BETTER]:
            means = {"top1": row["top1_mean"], "validation_loss": row["validation_loss_mean"]}
            say(f"  {name} is {guessing.words(means)}")
    differences = differences_of(summary)
    for path in write_comparison(wanted.output, classifiers, summary, differences):
        say(f"  written {path}")
    return summary, differences


def compare_by_workers(wanted: Wanted, config: SearchConfig) -> tuple[Figures, Figures]:
    """Compare as `compare` does, with the workers that were chosen, in a flow of its own; raises as it does."""
    device = default_device()
    engine = open_engine(default_workers(device))
    found: list[tuple[Figures, Figures]] = []

    @plain_flow("compare")
    def comparison() -> None:
        answer_in_flow()
        found.append(compare(wanted, config, Workers(engine, device)))

    try:
        engine.run(comparison)
    finally:
        engine.close()
    return found[0]


def _sized(name: str, fit: Fit, wanted: Wanted, config: ImagenetConfig) -> NetworkSpec:
    """Return the largest network within the limit; one that was sized to a latency before has the same size again."""
    if wanted.limit.macs:
        return fit(wanted.limit.macs)
    sizes = read_sizes(wanted.output)
    cell = wanted.cells.get(name)
    asked = [name, cell and cell.canonical_key, wanted.limit.nanoseconds, config.image_size]
    key = f"{name}-{fingerprint(asked)[:16]}"
    if key not in sizes:

        def measure(spec: NetworkSpec) -> float:
            return 1e6 * measured_latencies({name: spec}, _PASSES)[name][LATENCY]

        sizes[key] = within_latency(fit, wanted.limit.nanoseconds, measure)
        write_sizes(wanted.output, sizes)
    return fit(sizes[key])


def _train(training: ClassifierTraining, images: Images, world: World) -> TrainedClassifier:
    steps = length_of(training, len(images[0])).steps(len(images[0]))
    with progress_bar(f"training {training.name}", steps) as bar:
        found = train_classifier(
            training,
            images,
            world,
            on_progress=lambda progress: bar.update(
                progress.step, {name: value for name, value in progress.metrics.items() if name in ("loss", "top1")}
            ),
            on_warning=say,
        )
        bar.update(steps, {"top1": found.card.metrics["top1"]})
    return found
