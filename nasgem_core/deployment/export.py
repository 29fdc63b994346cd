"""A network as a folder that works without this package: weights, one Python file, torch.export and ONNX, checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.checking import Difference, check_forms
from nasgem_core.deployment.folders import new_folder, write_weights
from nasgem_core.deployment.isolated import ONNX, PYTHON, TORCH
from nasgem_core.deployment.programs import capture, save_onnx, save_program
from nasgem_core.deployment.sources import source_of
from nasgem_core.deployment.specs import load_network, read_spec
from nasgem_core.errors import DataError, ParameterError

FORMS = ("python", "torch", "onnx")


@dataclass(frozen=True)
class Exported:
    """What an export has written.

    Args:
        folder: where.
        files: names and sizes in bytes.
        differences: of each form to the original, measured without this package.
        left_out: why a form is not there, by form.
    """

    folder: Path
    files: Mapping[str, int]
    differences: Sequence[Difference]
    left_out: Mapping[str, str]


def export_network(
    card: NetworkCard,
    weights: Mapping[str, Tensor],
    folder: Path,
    forms: Sequence[str] = FORMS,
    on_step: Callable[[str], None] | None = None,
) -> Exported:
    """Write weights, card and the forms asked for into a new folder, whole or not at all.

    Each form is run on random images in a process that cannot import this package. With all forms asked for, the
    Python file of a network that cannot be written as one is left out; asked for alone, that is an error.

    Args:
        card: how the network is built, and what it reads.
        weights: its state dict.
        folder: made anew; an earlier export there is replaced.
        forms: some of `FORMS`.
        on_step: told what is being done.

    Raises:
        ParameterError: a form is unknown.
        DataError: the folder holds something else, the weights are another network's, or a form cannot be written or
            differs from the original.
    """
    unknown = sorted(set(forms) - set(FORMS))
    if unknown:
        raise ParameterError(f"form {unknown[0]!r} is unknown: choose from {', '.join(FORMS)}")
    say = on_step or (lambda step: None)
    network = load_network(card, weights)
    left_out: dict[str, str] = {}
    with new_folder(folder) as target:
        write_weights(target, card.to_json(), weights)
        if "python" in forms:
            say("writing the Python file")
            try:
                (target / PYTHON).write_text(source_of(card, read_spec(card.network), network), encoding="utf-8")
            except DataError as error:
                if len(forms) == 1:
                    raise
                left_out["python"] = str(error)
        if {"torch", "onnx"} & set(forms):
            say("capturing the network with torch.export")
            program = capture(network, card)
            if "torch" in forms:
                save_program(program, card, target / TORCH)
            if "onnx" in forms:
                say("converting it to ONNX")
                save_onnx(program, card, target / ONNX)
        say("comparing each form with the original, in a process without nasgem")
        differences = check_forms(network, target, card.image_size)
        files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Exported(folder, files, differences, left_out)
