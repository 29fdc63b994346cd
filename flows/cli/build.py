"""`nasgem build`: a network of any cell, sized to a budget, as a file that rebuilds it."""

from dataclasses import dataclass
from pathlib import Path

from flows.cli.printing import out, print_table
from flows.cli.run_flows import parse_macs
from flows.cli.show import find_cell
from flows.runtime.environment import prepare_environment
from flows.stages.catalogue import require_outside_stages
from nasgem_core.checksums import json_with_checksum
from nasgem_core.errors import DataError
from tasks.run.parameters import load_config


@dataclass(frozen=True)
class Shape:
    """What a network is for.

    Args:
        layout: name of how often images are halved.
        skeleton: name of what is stacked.
        classes: number of classes.
        image_size: side of the images, None for the one of the layout.
        nonlinearity: activation of the later stages and the head.
        squeeze: share of a block's channels inside its squeeze-and-excitation.
    """

    layout: str
    skeleton: str
    classes: int
    image_size: int | None = None
    nonlinearity: str = "relu"
    squeeze: float = 0.0


def build_network(name: str, macs: str, shape: Shape, output: Path | None) -> None:
    """Print the network's costs, channels and feature maps, and write its specification where asked.

    Args:
        name: of the cell.
        macs: budget of multiply-adds, such as "463M".
        shape: what the network is for.
        output: the file to write.

    Raises:
        NasgemError: a value is wrong, or anything but an earlier network of this command would be replaced.
    """
    prepare_environment(only_reads=True)
    if output is not None:
        _require_free(output, name)
    from nasgem_core.backbones.layout import IMAGE_SIZES, named_layout
    from nasgem_core.backbones.width import fit_to_budget
    from tasks.stages.gemnet import costs_of_parts, feature_list

    budget = parse_macs(macs)
    stack = named_layout(shape.layout, shape.skeleton, nonlinearity=shape.nonlinearity, squeeze=shape.squeeze)
    cell, _ = find_cell(name, load_config())
    side = shape.image_size or IMAGE_SIZES[shape.layout]
    spec = fit_to_budget(
        output.stem if output else "gemnet",
        cell,
        stack,
        num_classes=shape.classes,
        image_size=(side, side),
        macs=budget,
    )
    parts = costs_of_parts(spec)
    out.print(f"cell      {cell.canonical_key[:8]}, {cell.num_vertices} vertices, {cell.num_edges} edges")
    out.print(
        f"network   layout {shape.layout}, skeleton {shape.skeleton}, images of {side}x{side}, {shape.classes} classes"
    )
    out.print(f"MACs      {parts['macs'].sum() / 1e6:.2f} M (budget {budget / 1e6:g} M)")
    out.print(f"params    {parts['params'].sum() / 1e6:.3f} M")
    refined = "" if spec.channels == stack.skeleton.channels(spec.width) else ", stages refined to meet the budget"
    out.print(f"width     {spec.width:g}{refined}")
    rows = [
        [
            str(row.part),
            str(row.vertex_channels or "-"),
            f"{row.channels}x{row.height}x{row.width}",
            f"{row.macs / 1e6:.2f}",
            f"{row.params / 1e3:.1f}",
        ]
        for row in parts.itertuples()
    ]
    print_table("Parts", ["part", "per vertex", "output", "MACs M", "params k"], rows)
    features = ", ".join(f"{channels} at stride {stride}" for channels, stride in feature_list(spec))
    out.print_words(f"\nfeatures  {features}")
    if output is not None:
        _write(output, json_with_checksum(spec.to_dict()))
        out.print(f"written   {output}", soft_wrap=True)


def _require_free(output: Path, cell: str) -> None:
    """Refuse, before anything is computed, a place that should not be written to."""
    from nasgem_core.backbones.spec import NetworkSpec

    if output.suffix != ".json":
        raise DataError(f"output = {output}: the name must end in .json")
    if cell.endswith(".json") and output.resolve() == Path(cell).resolve():
        raise DataError(f"output = {output}: the cell itself would be replaced; name another file")
    require_outside_stages(output, "name another file, such as network.json")
    if not output.exists():
        return
    try:
        NetworkSpec.from_json(output.read_bytes())
    except (DataError, IsADirectoryError):
        raise DataError(
            f"output = {output}: the file there is not a network of `nasgem build`, so it is kept; name another"
        ) from None


def _write(path: Path, text: str) -> None:
    from tasks.store.artifacts import write_bytes

    try:
        write_bytes(path, text.encode())
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from None
