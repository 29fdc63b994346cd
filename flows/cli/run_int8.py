"""A trained classifier as ONNX of 8 bits from the command line."""

from pathlib import Path

from flows.cli.printing import print_table
from flows.runtime.environment import prepare_environment
from nasgem_core.errors import DataError
from tasks.run.progress import said_steps, say


def run_int8(model: str, output: Path, images: Path | None, most_lost: float) -> None:
    """Write a classifier with 8 bits into a folder; print its accuracy, size and time next to the float ONNX file's.

    Args:
        model: its name, as `open_network` takes it.
        output: the folder to write.
        images: the data set that it was trained with.
        most_lost: the largest fall of the accuracy on the validation images, a fraction.

    Raises:
        DataError: there are no images, they are of other classes, or the accuracy falls by more.
    """
    if images is None:
        raise DataError("--format int8 needs images: name the data set by --images FOLDER")
    prepare_environment(only_reads=True, anywhere=Path(model).exists())
    from nasgem_core.deployment.int8 import export_int8
    from nasgem_core.training.image_files import list_image_files
    from tasks.deployment.open_network import open_network
    from tasks.stages.class_names import class_names

    network = open_network(model, Path.cwd())
    card = network.classifier
    training, validation = list_image_files(images)
    if class_names(images, validation.classes) != card.classes:
        raise DataError(f"images = {images}: they have other classes than {card.name}; name its own data set")
    shown = training if training.note else validation  # where one folder is split, the first speaks for both
    if shown.remark:
        say(f"  {shown.remark}")
    with said_steps() as steps:
        report = export_int8(card, network.weights, output, validation, most_lost=most_lost, on_step=steps.begin)
    rows = [
        ["float", f"{report.float_top1:.4f}", f"{report.float_bytes / 1e6:.2f}", f"{report.float_ms:.3f}"],
        ["int8", f"{report.int8_top1:.4f}", f"{report.int8_bytes / 1e6:.2f}", f"{report.int8_ms:.3f}"],
    ]
    title = f"{output}: ONNX on {report.images} images of {validation.folder}, times of one image on one thread"
    print_table(title, ["weights", "accuracy", "MB", "median ms"], rows)
