"""A network as a folder that works without this package: weights, one Python file, torch.export and ONNX, checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.checking import Difference, check_forms
from nasgem_core.deployment.folders import new_folder, write_network
from nasgem_core.deployment.isolated import ONNX, PYTHON, TORCH
from nasgem_core.deployment.programs import CARD_KEY, capture, save_onnx, save_program
from nasgem_core.deployment.sources import source_of
from nasgem_core.deployment.specs import load_network, read_spec
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.networks.layout import IMAGE_CHANNELS

FORMS = ("python", "torch", "onnx")
COMPARING = "comparing each form with the original, in a process without nasgem"


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


def check_forms_known(forms: Sequence[str]) -> None:
    """Raise `ParameterError` unless all names are among `FORMS`."""
    unknown = sorted(set(forms) - set(FORMS))
    if unknown:
        raise ParameterError(f"form {unknown[0]!r} is unknown: choose from {', '.join(FORMS)}")


@dataclass(frozen=True)
class FormWriter:
    """How the forms of a network come about.

    Args:
        name: of the network, in messages.
        notes: texts by their names, inside of both programs.
        source: makes the Python file.
        program: captures the network.
        inputs: names of what the program takes.
        outputs: names of what it gives.
        length: name of the one length that varies in their shapes.
    """

    name: str
    notes: Mapping[str, str]
    source: Callable[[], str]
    program: Callable[[], Any]
    inputs: Sequence[str]
    outputs: Sequence[str]
    length: str

    def write(self, folder: Path, forms: Sequence[str], say: Callable[[str], None]) -> dict[str, str]:
        """Write the forms asked for, and return why one is left out.

        Raises:
            DataError: a form cannot be written, and is not a Python file among others.
        """
        left_out: dict[str, str] = {}
        if "python" in forms:
            say("writing the Python file")
            try:
                (folder / PYTHON).write_text(self.source(), encoding="utf-8")
            except DataError as error:
                if len(forms) == 1:
                    raise
                left_out["python"] = str(error)
        if {"torch", "onnx"} & set(forms):
            say("capturing the network with torch.export")
            program = self.program()
            if "torch" in forms:
                save_program(program, self.name, folder / TORCH, self.notes)
            if "onnx" in forms:
                say("converting it to ONNX")
                save_onnx(program, self.name, folder / ONNX, self.notes, self.inputs, self.outputs, self.length)
        return left_out


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
    check_forms_known(forms)
    say = on_step or (lambda step: None)
    network = load_network(card, weights)
    # Two images: torch.export fixes the number of images at one where the example has one.
    example = torch.zeros(2, IMAGE_CHANNELS, card.image_size, card.image_size)
    writer = FormWriter(
        name=card.name,
        notes={CARD_KEY: card.to_json()},
        source=lambda: source_of(card, read_spec(card.network), network),
        program=lambda: capture(network, card.name, (example,), ({0: torch.export.Dim("batch")},)),
        inputs=("images",),
        outputs=("logits",),
        length="batch",
    )
    with new_folder(folder) as target:
        write_network(target, card.to_json(), weights)
        left_out = writer.write(target, forms, say)
        say(COMPARING)
        differences = check_forms(network, target, card.image_size)
        files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Exported(folder, files, differences, left_out)
