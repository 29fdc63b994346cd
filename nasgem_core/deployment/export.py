"""A network as a folder that works without this package: weights, one Python file, torch.export and ONNX, checked."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from torch import Tensor

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.checking import Difference, check_forms
from nasgem_core.deployment.isolated import ONNX, PYTHON, TORCH, WEIGHTS
from nasgem_core.deployment.programs import CARD_KEY, capture, save_onnx, save_program
from nasgem_core.deployment.sources import source_of
from nasgem_core.deployment.specs import load_network, read_spec
from nasgem_core.errors import DataError, ParameterError

FORMS = ("python", "torch", "onnx")
CARD_FILE = "network.json"


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
    with _new_folder(folder) as target:
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        content = safetensors.torch.save(weights, metadata={CARD_KEY: card.to_json()})
        (target / WEIGHTS).write_bytes(content)
        (target / CARD_FILE).write_text(card.to_json() + "\n", encoding="utf-8")
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


@contextlib.contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Provide an empty folder beside `folder` that takes its place when the block ends well, and goes otherwise."""
    if folder.exists() and not (folder / CARD_FILE).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is there and is no exported network: name another folder")
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for path in temporary.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        earlier = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.old"
        if folder.exists():
            folder.rename(earlier)
        temporary.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read_exported(folder: Path) -> tuple[NetworkCard, dict[str, Tensor]]:
    """Return card and weights of an exported folder.

    Raises:
        DataError: the folder or a file of it is missing, damaged or foreign.
    """
    try:
        card = NetworkCard.from_json((folder / CARD_FILE).read_bytes())
        weights = safetensors.torch.load_file(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise DataError(
            f"{error.filename or folder / WEIGHTS} is missing: name a folder that `nasgem export` wrote"
        ) from None
    except (OSError, safetensors.SafetensorError, ValueError) as error:
        raise DataError(f"{folder} holds no exported network: {error}; export it again") from None
    return card, weights
