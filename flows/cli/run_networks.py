"""Networks in the user's hands from the command line: export, predict, detect, latency."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.cli.printing import out, print_table
from flows.runtime.environment import prepare_environment
from flows.stages.catalogue import require_outside_stages
from nasgem_core.deployment.form import ALL_FORMS, FORMS, INT8
from nasgem_core.errors import DataError
from tasks.run.progress import said_steps


def run_export(model: str, output: Path, form: str) -> None:
    """Write a network into a folder that works without this package; print how much each form differs from it."""
    if form != ALL_FORMS and form not in FORMS.names():
        raise DataError(f"format = {form!r}: choose one of {', '.join([ALL_FORMS, *FORMS.names(), INT8])}")
    prepare_environment(only_reads=True, anywhere=Path(model).exists())
    from nasgem_core.deployment.export import export_network
    from tasks.deployment.open_network import open_network

    network = open_network(model, Path.cwd(), untrained=True)
    forms = None if form == ALL_FORMS else (form,)
    with said_steps() as steps:
        exported = export_network(network.description, network.weights, output, forms, on_step=steps.begin)
    if not network.trained:
        out.print_words(f"{model} has no weights: the network was written with fresh ones and is not trained")
    rows = [
        [difference.form, difference.values, f"{difference.largest:.3g}", f"{difference.output:.3g}"]
        for difference in exported.differences
    ]
    title = "Largest difference from the original on random images, in a process without nasgem"
    print_table(title, ["form", "output", "difference", "largest output"], rows)
    for name, reason in exported.left_out.items():
        out.print_words(f"\nNot written: {name}: {reason}.")
    print_table(f"{output}", ["file", "MB"], [[name, f"{size / 1e6:.3f}"] for name, size in exported.files.items()])


def run_predict(picture: Path, model: str, top: int) -> None:
    """Print the likeliest classes of a picture."""
    prepare_environment(only_reads=True, anywhere=Path(model).exists())
    from nasgem_core.deployment.predicting import classify, read_picture
    from nasgem_core.deployment.specs import load_network
    from tasks.deployment.open_network import open_network

    image = read_picture(picture)
    found = open_network(model, Path.cwd())
    card = found.classifier
    guesses = classify(load_network(card, found.weights), card, image, top)
    rows = [[guess.name, f"{guess.probability:.4f}"] for guess in guesses]
    print_table(f"{picture} by {card.name}", ["class", "probability"], rows)
    if not found.trained:
        out.print_words(f"\n{card.name} was never trained: its weights are fresh ones")
    elif not card.metrics:
        out.print_words(f"\n{card.name} has no metrics: it may never have been trained")


def run_detect(picture: Path, model: str, output: Path, threshold: float) -> None:
    """Print the objects in a picture, and draw the picture with their boxes."""
    prepare_environment(only_reads=True, anywhere=Path(model).exists())
    from nasgem_core.deployment.detectors import load_detector
    from nasgem_core.deployment.predicting import find_objects, read_picture
    from nasgem_core.figures.letters import drawn_names, numbers_remark
    from nasgem_core.figures.marked import mark_boxes, require_format, save_picture
    from tasks.deployment.open_network import open_network

    if output.resolve() == picture.resolve():
        raise DataError(f"output = {output}: the picture itself would be replaced; name another file")
    require_format(output)
    image = read_picture(picture)
    network = open_network(model, Path.cwd())
    spec = network.detector
    detector = load_detector(spec, network.weights)
    names = [category.name for category in spec.categories]
    lowest = min(threshold, detector.lowest_score)
    try:
        every = find_objects(detector, names, image, lowest)
    except DataError as error:
        raise DataError(f"{picture}: {error}") from None
    found = every.above(threshold)
    drawn = drawn_names(names)
    marked = mark_boxes(image, found.boxes, [drawn[name] for name in found.names], found.scores)
    save_picture(marked, output)
    rows = [
        [name, f"{score:.3f}", *(f"{side:.0f}" for side in box)]
        for name, score, box in zip(found.names, found.scores, found.boxes, strict=True)
    ]
    if rows:
        print_table(f"{picture} by {spec.name}", ["object", "score", "left", "top", "right", "bottom"], rows)
    else:
        out.print_words(f"{picture} by {spec.name}: {_nothing_shown(every.names, every.scores, lowest)}")
    remark = numbers_remark({name: drawn[name] for name in names if name in found.names})
    if remark:
        out.print_words(f"\n{remark}")
    enlarged = f", enlarged {marked.width // image.width} times" if marked.size != image.size else ""
    count = _counted(len(rows), "object")
    out.print_words(f"\n{count} with a score of at least {threshold:g}; drawn {output}{enlarged}")


def _nothing_shown(names: Sequence[str], scores: Any, lowest: float) -> str:
    """Say how high the scores below the threshold are."""
    best = f"the highest score is {scores[0]:.3f} ({names[0]})" if names else f"no score is as high as {lowest:g}"
    return f"{best}; show more with a lower --threshold"


@dataclass(frozen=True)
class Measurement:
    """How latency is to be measured.

    Args:
        device: where, None for a GPU where there is one.
        batch: images per pass.
        threads: of the CPU.
        repeats: timed passes of each network.
        engine: what runs the networks, torch, cuda_graph or onnxruntime.
    """

    device: str | None
    batch: int
    threads: int
    repeats: int
    engine: str = "torch"


def run_latency(
    names: Sequence[str], sampled: int, measurement: Measurement, output: Path, *, macs: str | None = None
) -> None:
    """Measure networks in turn; print, write and draw the table.

    Args:
        names: of cells, networks and files; with none, and nothing sampled, all trained cells of the search.
        sampled: number of random cells to measure too.
        measurement: how.
        output: folder of the table and the plot.
        macs: budget that networks are sized to; None measures them as they are, and cells as proxy networks.
    """
    prepare_environment(only_reads=True)
    from flows.cli.run_flows import parse_macs
    from flows.cli.timed_networks import listed_networks, sized_networks
    from nasgem_core.deployment.latency import Setting
    from nasgem_core.figures.image import save_figure
    from nasgem_core.figures.latency import draw_latency
    from tasks.deployment.latency import measure_networks
    from tasks.run.placement import default_device
    from tasks.stages.latency_table import write_latency

    _require_free(output)
    batch, threads = measurement.batch, measurement.threads
    engine = measurement.engine
    device = measurement.device or ("cpu" if engine == "onnxruntime" else default_device())
    setting = Setting(device, batch, threads, measurement.repeats)
    listed = listed_networks(names, sampled) if macs is None else sized_networks(names, sampled, parse_macs(macs))
    with _new_folder(output):  # before the minutes of measuring
        table = measure_networks(listed, setting, engine)
    write_latency(output, table)
    passes = f"{_counted(batch, 'image')} per pass, {_counted(threads, 'thread')}"
    title = f"Latency in {engine} on {table['device'].iloc[0]}, {passes}"
    figure = draw_latency(
        title,
        list(table["network"]),
        list(table["group"]),
        **{name: table[name].to_numpy() for name in ("median_ms", "p95_ms", "macs", "accuracy")},
    )
    save_figure(figure, output / "latency.png")
    shown = table.sort_values("median_ms")
    rows = [
        [
            row["network"],
            row["group"],
            f"{row['macs'] / 1e6:.4g}",
            f"{row['params'] / 1e6:.4g}",
            "-" if row["accuracy"] != row["accuracy"] else f"{row['accuracy']:.4f}",
            f"{row['median_ms']:.3f}",
            f"{row['p95_ms']:.3f}",
            f"{row['spread_ms']:.3f}",
            f"{row['peak_bytes'] / 1e6:.4g}",
        ]
        for _, row in shown.iterrows()
    ]
    header = ["network", "kind", "MACs M", "params M", "accuracy", "median ms", "p95 ms", "spread ms", "peak MB"]
    print_table(title, header, rows)
    out.print(f"\nTable  {output / 'latency.parquet'}  (with latency.csv and latency.png)", soft_wrap=True)


def _require_free(output: Path) -> None:
    """Refuse a place that the table should not be written to: `data` itself, and what stages fill."""
    remedy = "name another folder, such as data/latency"
    if output.resolve() == Path("data").resolve():
        raise DataError(f"output = {output}: that folder is kept for the stages; {remedy}")
    require_outside_stages(output, remedy)


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """Make a folder; it is removed again, with those made above it, if the block fails and leaves it empty."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"output = {folder}: a folder cannot be made there ({error.strerror}); name another") from None
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for path in made:
                path.rmdir()
        raise


def _counted(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"
