"""Stage `coco`: train detectors on the networks of stage `imagenet` (paper, section 4.1 and Table 2).

`nasgem stage coco` trains in one process. With `torchrun --standalone --nproc-per-node N --no-python` before it, N
processes share each training, and the first of them does everything else.
"""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from flows.runtime.session import Session, stage_flow
from flows.stages.live_training import LiveTraining, draw_curves, logging_rows, register, say_removed
from flows.stages.side_trainings import Workers, train_side_by_side
from nasgem_core.config.search import SearchConfig
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.detections import Detections
from nasgem_core.detection.images import read_image
from nasgem_core.detection.task import MeasuredSet
from nasgem_core.figures.boxes import BoxPicture, draw_boxes
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.letters import drawn_names, numbers_remark
from nasgem_core.training.distributed import World, open_world
from nasgem_core.training.task import Progress, broken_images
from tasks.mlflow_registry.registered_model import detector_candidate
from tasks.mlflow_registry.registry import register_network
from tasks.mlflow_runs.records import TrainingRun, finite
from tasks.mlflow_runs.run_record import Dataset
from tasks.run.placement import default_device
from tasks.run.progress import progress_bar, say
from tasks.stages.coco import (
    FOLDER,
    DetectorTraining,
    TrainedDetector,
    plan_detectors,
    train_detector,
    trained_backbones,
)
from tasks.stages.coco_data import TRAIN, VALIDATION, CocoData, first_images, look_through, read_data
from tasks.stages.coco_results import (
    CURVES_FILE,
    HISTORY_FILE,
    METRICS_FILE,
    history_of,
    summary_of,
    write_detectors,
)
from tasks.stages.detector_task import detector_work, train_on_worker

SAMPLE_SCORE = 0.3
"""Detections below this score are not drawn."""
_SET_NAMES = {VALIDATION: "validation", TRAIN: "training"}


@stage_flow("coco")
def coco(session: Session) -> None:
    """Train every detector that params.yaml names on every backbone; write data/coco."""
    config = session.config.coco
    trained: list[TrainedDetector] = []
    data = None
    reason = why_skipped(session.config)
    if reason:
        say(f"  skipped: {reason}")
    else:
        data = look_through(read_data(config))
        trainings = plan_detectors(config, data, trained_backbones(), session.config.seed)
        for item in data.train.chosen.skipped:
            say(f"  {item}")
        remark = numbers_remark(_drawn(data.train.annotations.categories)) if config.samples else ""
        if remark:
            say(f"  in the sample pictures {remark}")
        session.records.begin("coco")
        with open_world(session.placement.device) as world:
            if world.size == 1:
                _train_by_workers(session, trainings, data)
            trained = [_train(session, training, data, world) for training in trainings]
    _write(session, trained, data)


def why_skipped(config: SearchConfig) -> str:
    """Return why no detector can be trained, "" where some can."""
    if not config.coco.dataset:
        return "coco.dataset is not set; set it to a folder of images with annotations in COCO's format"
    if not trained_backbones():
        return "stage imagenet has not trained a network to build a detector on; set imagenet.dataset"
    return ""


def check_annotations(session: Session) -> None:
    """Raise `DataError` if params.yaml names a data set that is missing, half copied or damaged."""
    if session.config.coco.dataset:
        read_data(session.config.coco)


def _train_by_workers(session: Session, trainings: Sequence[DetectorTraining], data: CocoData) -> None:
    """Have workers do the trainings where that is faster; they are then read from their checkpoints."""
    workers = Workers(session.engine, session.placement.device)
    work = partial(detector_work, data=data, device=workers.device)
    with logging_rows(session.records, {each.name: _run_of(each) for each in trainings}) as log:
        train_side_by_side(workers, train_on_worker, trainings, work, log)


def _run_of(training: DetectorTraining) -> TrainingRun:
    params = {"detector": training.spec.settings.kind, "backbone": training.classifier}
    return TrainingRun("coco", training.name, params)


def _train(session: Session, training: DetectorTraining, data: CocoData, world: World) -> TrainedDetector:
    config = training.config
    steps = config.epochs * (len(data.train.chosen) // config.batch_size)
    with (
        progress_bar(f"training {training.name}", steps) as bar,
        tempfile.TemporaryDirectory() as folder,
        LiveTraining(
            records=session.records,
            run=_run_of(training),
            shown=("loss", "AP", "train_AP50"),
            on_step=bar.update,
        ) as live,
    ):

        def report(progress: Progress, found: Mapping[str, Detections]) -> None:
            pictures = []
            for prefix, detections in found.items() if config.samples else ():
                path = Path(folder) / f"{_SET_NAMES[prefix]}-epoch-{progress.epoch:04d}.png"
                path.write_bytes(_draw(training, data.measured[prefix], detections, config.samples, prefix))
                pictures.append(path)
            live.report(progress, pictures)

        found = train_detector(training, data, world, on_progress=report, on_warning=lambda words: say(f"  {words}"))
        bar.update(steps, {"AP": found.metrics["AP"]})
    live.finish(found.history)
    digest = data.measured[VALIDATION].digest
    candidate = detector_candidate(training.spec, found.weights, found.metrics, training.name)
    register(training.name, lambda: register_network(Path.cwd(), "coco", candidate, data=digest))
    return found


def _drawn(categories: Sequence[Category]) -> dict[str, str]:
    """Return what the sample pictures show for each name."""
    return drawn_names([category.name for category in categories])


def _draw(training: DetectorTraining, measured: MeasuredSet, found: Detections, count: int, prefix: str) -> bytes:
    """Draw the first images of a set: the objects in them next to those that were found."""
    shown = first_images(measured, count)
    annotations, pictures = shown.annotations, []
    names = list(_drawn(annotations.categories).values())
    for place, file_name in enumerate(annotations.file_names):
        height, width = annotations.sizes[place].tolist()
        image = read_image(shown.folder / file_name, (height, width)).permute(1, 2, 0).numpy()
        boxes = annotations.boxes[annotations.box_images == place]
        labels = annotations.labels[annotations.box_images == place]
        corners = boxes.copy()
        corners[:, 2:] += boxes[:, :2]
        own = found.of_image(int(annotations.image_ids[place]))
        sure = own.scores >= SAMPLE_SCORE
        pictures.append(BoxPicture(image, corners, [names[label] for label in labels], None, file_name))
        labels = own.labels[sure]
        pictures.append(
            BoxPicture(image, own.boxes[sure], [names[label] for label in labels], own.scores[sure], training.name)
        )
    title = f"{training.name} on {_SET_NAMES[prefix]} images: objects, and detections with a score from {SAMPLE_SCORE}"
    return figure_png(draw_boxes(pictures, title=title))


def _write(session: Session, trained: list[TrainedDetector], data: CocoData | None) -> None:
    config = session.config.coco
    summary, history = summary_of(trained), history_of(trained)
    panels = {"average precision, validation": "AP", "training loss": "loss"}
    if config.measured_train:
        panels = {"AP50, training images": "train_AP50", **panels}
    curves = draw_curves(history, ("detector",), panels, epochs=config.epochs, title="Detectors")
    pictures = {CURVES_FILE.name: curves}
    skipped = {}
    if data is not None:
        skipped = {item.reason: item.count for item in data.train.chosen.skipped}
        broken = max(broken_images(each.history) for each in trained)
        if broken:
            skipped["images that cannot be read"] = broken
        for each in trained:
            for prefix, found in each.samples.items():
                name = f"{each.training.name}-{_SET_NAMES[prefix]}.png"
                pictures[name] = _draw(each.training, data.measured[prefix], found, config.samples, prefix)
    say_removed(FOLDER, write_detectors(trained, summary, skipped, history, pictures))
    for name, row in summary.items():
        size = f"{row['macs'] / 1e9:.4g}G MACs  {row['params'] / 1e6:.3g}M params"
        learned = f"  on training images {100 * row['train_AP50']:.1f} %" if "train_AP50" in row else ""
        say(f"  {name}: AP {100 * row['AP']:.1f} %  AP50 {100 * row['AP50']:.1f} %{learned}  {size}")
    metrics = finite({f"{name}.{key}": value for name, row in summary.items() for key, value in row.items()})
    files = [METRICS_FILE, HISTORY_FILE, *(FOLDER / name for name in pictures)]
    inputs = [] if data is None else [Dataset("coco", data.train.digest, config.dataset)]
    session.records.stage("coco", metrics, artifacts=files, inputs=inputs)


def take_part(config: SearchConfig) -> None:
    """Join the trainings of the stage as one of the processes of `torchrun` that do not run the stage itself."""
    if not why_skipped(config):
        with open_world(default_device()) as world:
            data = look_through(read_data(config.coco))
            for training in plan_detectors(config.coco, data, trained_backbones(), config.seed):
                train_detector(training, data, world)
