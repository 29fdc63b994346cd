"""Stage `imagenet`: train networks to classify images (paper, section 4).

`nasgem stage imagenet` trains one network after the other, or several side by side where workers do that faster. With
`torchrun --standalone --nproc-per-node N --no-python` before it, N processes share each training, and the first of them
does everything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.runtime.session import Session, stage_flow
from flows.stages.live_training import LiveTraining, draw_curves, logging_rows, register, say_removed
from flows.stages.side_trainings import Workers, train_side_by_side
from nasgem_core.backbones.channels import TOLERANCE
from nasgem_core.backbones.counting import count_costs
from nasgem_core.config.search import SearchConfig
from nasgem_core.counts import NEAREST, count_text
from nasgem_core.training.distributed import World, open_world
from nasgem_core.training.guessing import Guessing
from nasgem_core.training.image_files import list_image_files
from nasgem_core.training.task import broken_images
from tasks.mlflow_registry.registered_model import classifier_candidate
from tasks.mlflow_registry.registry import register_network
from tasks.mlflow_runs.records import TrainingRun, finite
from tasks.mlflow_runs.run_record import Dataset
from tasks.run.placement import default_device
from tasks.run.progress import progress_bar, say
from tasks.stages.classifier import Images, length_of
from tasks.stages.classifier_task import classifier_work, train_on_worker
from tasks.stages.imagenet import FOLDER, ClassifierTraining, TrainedClassifier, plan_classifiers, train_classifier
from tasks.stages.imagenet_latency import latencies_of
from tasks.stages.imagenet_networks import check_budgets, check_network_names, met_budgets
from tasks.stages.imagenet_results import (
    BETTER,
    CURVES_FILE,
    HISTORY_FILE,
    differences_of,
    history_of,
    summary_of,
    write_classifiers,
)
from tasks.stages.imagenet_table import (
    GUESSING_REMEDY,
    METRICS_FILE,
    accuracy_text,
    cost_text,
    difference_text,
    first_networks,
)
from tasks.stages.imagenet_tuning import Grid, tune
from tasks.stages.initial_weights import check_weights, say_beginnings


@stage_flow("imagenet")
def imagenet(session: Session) -> None:
    """Train every network that params.yaml names, from every seed; write data/imagenet."""
    config = session.config.imagenet
    classifiers: list[TrainedClassifier] = []
    grids: dict[str, Grid] = {}
    inputs: list[Dataset] = []
    guessing: Guessing | None = None
    if not config.dataset:
        say("  skipped: imagenet.dataset is not set; set it to a folder of images")
    else:
        with open_world(session.placement.device) as world:
            images, planned = _planned(session.config)
            for files in images:
                if files.remark:
                    say(f"  {files.remark}", once=True)
            _say_budget(session.config, len(images[0].classes), planned)
            _say_length(planned, len(images[0]))
            specs = list({training.network: training.spec for training in planned}.values())
            say_beginnings(config, specs, images[0].classes, lambda line: say(f"  {line}"))
            inputs = [Dataset("imagenet", images[0].digest, config.dataset)]
            guessing = Guessing.of(images[0].labels, images[1].labels, len(images[0].classes))
            session.records.begin("imagenet")
            own = _Trainings(session, images, world)
            trainings, grids = tune(planned, images, own.finish, before=own.begin)
            _say_rates(trainings, grids)
            own.begin(trainings, images)
            classifiers = [own.finish(training, images) for training in trainings]
    _write(session, classifiers, grids, inputs, guessing)


def check_images(session: Session) -> None:
    """Raise `NasgemError` if params.yaml names images that are missing or half copied, or an unknown network."""
    if session.config.imagenet.dataset:
        check_network_names(session.config.imagenet)
        check_weights(session.config.imagenet)
        images, _ = list_image_files(Path(session.config.imagenet.dataset))
        check_budgets(session.config.imagenet, len(images.classes))


def _say_budget(search: SearchConfig, num_classes: int, planned: Sequence[ClassifierTraining]) -> None:
    config, built_for = search.imagenet, search.gemnet.image_size
    budgets = met_budgets(config, num_classes)
    if budgets != list(config.macs):
        built = count_text(budgets[0], NEAREST)
        say(f"  imagenet.macs = 0: networks have at most {built} multiply-adds, as GEMNet was built")
        if config.image_size != built_for:
            say(
                f"  its budget holds for gemnet.image_size = {built_for}, and it is trained on images of "
                f"imagenet.image_size = {config.image_size}: make them equal to keep to the budget"
            )
    named = {"" if place == 0 else count_text(macs): macs for place, macs in enumerate(budgets)}
    for network, training in {each.network: each for each in planned}.items():
        macs, most = count_costs(training.spec.build(), training.spec.image_size).macs, named[training.budget]
        if macs < (1 - TOLERANCE) * most:
            have = count_text(macs, NEAREST)
            say(f"  {network}: {have} multiply-adds, because its channels allow no more within {count_text(most)}")


def _say_length(planned: Sequence[ClassifierTraining], images: int) -> None:
    for training in planned[:1]:
        length, config = length_of(training, images), training.config
        if (length.epochs, length.batch_size) != (config.epochs, config.batch_size):
            say(
                f"  {images} training images are few: trainings have {length.epochs} epochs of {length.batch_size} "
                f"images per step in place of {config.epochs} of {config.batch_size}, so {length.steps(images)} steps "
                "(imagenet.least_steps)"
            )


def _say_rates(trainings: list[ClassifierTraining], grids: Mapping[str, Grid]) -> None:
    chosen = {training.network: training.learning_rate for training in trainings}
    for name, grid in grids.items():
        tried = ", ".join(f"{row['learning_rate']:g}: {_percent(row['top1'])}" for row in grid)
        say(f"  {name}: learning rate {chosen[name]:g} (top-1 on images that were held out, by rate: {tried})")


def _percent(share: float | None) -> str:
    return "diverged" if share is None else f"{100 * share:.1f} %"


def _planned(config: SearchConfig) -> tuple[Images, list[ClassifierTraining]]:
    images = list_image_files(Path(config.imagenet.dataset))
    return images, plan_classifiers(config.imagenet, len(images[0].classes), config.seed)


@dataclass(frozen=True)
class _Trainings:
    """The trainings of the stage: done by the workers where that is faster, read or done here, and logged.

    Args:
        session: workers and records.
        images: training and validation images.
        world: this process among those that share each training.
    """

    session: Session
    images: Images
    world: World

    def begin(self, trainings: Sequence[ClassifierTraining], images: Images) -> None:
        """Have the workers do what they can; `finish` does the rest."""
        if self.world.size == 1:
            workers = Workers(self.session.engine, self.session.placement.device)
            work = partial(classifier_work, parts=images, images=self.images, device=workers.device)
            with logging_rows(self.session.records, {each.name: _run_of(each) for each in trainings}) as log:
                train_side_by_side(workers, train_on_worker, trainings, work, log)

    def finish(self, training: ClassifierTraining, images: Images) -> TrainedClassifier:
        """Return a training, which is done here if it is not finished; log it and register its network."""
        steps = length_of(training, len(images[0])).steps(len(images[0]))
        with (
            progress_bar(f"training {training.name}", steps) as bar,
            LiveTraining(
                records=self.session.records,
                run=_run_of(training),
                shown=("loss", "top1", "images_per_second"),
                on_step=bar.update,
            ) as live,
        ):
            found = train_classifier(training, images, self.world, on_progress=live.report, on_warning=say)
            bar.update(steps, {"top1": found.card.metrics["top1"]})
        live.finish(found.history)
        if training.number is not None:
            data = images[1].digest
            candidate = classifier_candidate(found.card, found.weights)
            register(training.name, lambda: register_network(Path.cwd(), "imagenet", candidate, data=data))
        broken = broken_images(found.history)
        if broken:
            example = f", such as {found.broken[0]}" if found.broken else ""
            say(f"  {broken} images could not be read and were skipped{example}")
        return found


def _run_of(training: ClassifierTraining) -> TrainingRun:
    seed = "tuning" if training.number is None else training.number
    params = {"network": training.network, "seed": seed, "learning_rate": training.learning_rate}
    return TrainingRun("imagenet", training.name, params)


def _write(
    session: Session,
    classifiers: list[TrainedClassifier],
    grids: Mapping[str, Grid],
    inputs: list[Dataset],
    guessing: Guessing | None,
) -> None:
    specs = {each.training.network: each.training.spec for each in classifiers}
    counted = {name: count_costs(spec.build(), spec.image_size) for name, spec in specs.items()}
    costs = {name: (found.macs, found.params) for name, found in counted.items()}
    summary, history = summary_of(classifiers, costs, grids, guessing), history_of(classifiers)
    for name, figures in latencies_of(specs, session.config.imagenet.latency_passes).items():
        summary[name] |= figures
    panels = {"top-1 accuracy": "top1", "training loss": "loss"}
    epochs = int(history["epoch"].max()) if len(history) else session.config.imagenet.epochs
    title = "Networks trained to classify images"
    curves = draw_curves(history, ("network", "seed"), panels, epochs=epochs, title=title)
    say_removed(FOLDER, write_classifiers(classifiers, summary, history, curves))
    for name, row in summary.items():
        accuracy = f"top-1 {accuracy_text(row['top1'])} %"
        if specs[name].num_classes > 5:
            accuracy += f"  top-5 {100 * row['top5_mean']:.1f} %"
        say(f"  {name}: {accuracy}  {cost_text(row)}")
        if guessing and not row[BETTER]:
            means = {"top1": row["top1_mean"], "validation_loss": row["validation_loss_mean"]}
            say(f"  {name} is {guessing.words(means)}; {GUESSING_REMEDY}")
    differences = differences_of(summary)
    first = first_networks(summary)
    for name, row in differences.items():
        say(f"  {first[name]} less {name}: top-1 {difference_text(row)} points")
    metrics = finite({f"{name}.{key}": value for name, row in summary.items() for key, value in row.items()})
    metrics |= finite({f"less_{name}.{key}": value for name, row in differences.items() for key, value in row.items()})
    tried = {f"{name}.rate_{row['learning_rate']:g}.top1": row["top1"] for name, grid in grids.items() for row in grid}
    metrics |= finite(tried)
    files = [METRICS_FILE, HISTORY_FILE, CURVES_FILE]
    session.records.stage("imagenet", metrics, artifacts=files, inputs=inputs)


def take_part(config: SearchConfig) -> None:
    """Join the trainings of the stage as one of the processes of `torchrun` that do not run the stage itself."""
    if config.imagenet.dataset:
        with open_world(default_device()) as world:
            images, planned = _planned(config)
            trainings, _ = tune(planned, images, lambda training, parts: train_classifier(training, parts, world))
            for training in trainings:
                train_classifier(training, images, world)
