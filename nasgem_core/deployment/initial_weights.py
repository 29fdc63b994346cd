"""Weights that a training begins with: of a network trained before, of an exported folder, or of torchvision."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.opening import read_stored, stored_files
from nasgem_core.digest import digest_of
from nasgem_core.errors import DataError

_CLASSIFIER = "classifier."
_RENAMED = ((r"^features\.", "layers."), (r"^classifier\.0\.", "hidden.0."), (r"^classifier\.[13]\.", _CLASSIFIER))
"""Beginnings of torchvision's names in its mobile networks, and of ours."""
_COUNTER = "num_batches_tracked"
"""Ends the name of a number of batch normalisation that nothing depends on; older files do not have it."""


@dataclass(frozen=True, eq=False)
class InitialWeights:
    """The state dict of a network that was trained before.

    Args:
        source: the file or folder, for messages.
        tensors: by the names of our networks.
        classes: names of its classes, empty where they are not known.
    """

    source: str
    tensors: Mapping[str, Tensor]
    classes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that depend on names, shapes and numbers."""
        parts: list[str | np.ndarray] = []
        for name, value in self.tensors.items():
            parts += [name, str(tuple(value.shape)), value.cpu().numpy()]
        return digest_of(parts)

    def mismatch(self, model: nn.Module) -> str:
        """Return the first difference to the names and shapes of a network but its classifier, "" without any."""
        own, found = _body(model.state_dict()), _body(self.tensors)
        for name in own | found:
            ours, theirs = (tuple(part[name].shape) if name in part else None for part in (own, found))
            if ours != theirs:
                shapes = [_shape_words(shape) for shape in (theirs, ours)]
                return f"{name} {shapes[0]} in the file and {shapes[1]} in the network"
        return ""

    def keeps_classifier(self, model: nn.Module, classes: Sequence[str]) -> bool:
        """Say whether the classifier fits as well: it has the same size and, where they are known, the same classes."""
        own = {name: value.shape for name, value in model.state_dict().items() if name.startswith(_CLASSIFIER)}
        same = all(name in self.tensors and self.tensors[name].shape == shape for name, shape in own.items())
        return same and (not self.classes or self.classes == tuple(classes))

    def load_into(self, model: nn.Module, classes: Sequence[str]) -> None:
        """Give a network that fits these weights; its classifier stays as it is where that does not fit."""
        kept = self.keeps_classifier(model, classes)
        chosen = {name: value for name, value in self.tensors.items() if kept or not name.startswith(_CLASSIFIER)}
        model.load_state_dict(chosen, strict=False)

    def words(self, model: nn.Module, classes: Sequence[str]) -> str:
        """Return in words what a network begins with."""
        if self.keeps_classifier(model, classes):
            return f"begins with the weights of {self.source}"
        before = self.tensors.get(f"{_CLASSIFIER}bias")
        count = "no" if before is None else f"{len(before)}"
        sizes = f"{count} classes there, {len(classes)} here"
        return f"begins with the weights of {self.source}; its classifier is new: {sizes}"


def read_initial_weights(source: str) -> InitialWeights:
    """Read weights: an exported folder, a stage's .safetensors or .json, or a file of torchvision's.

    A .pth or .pt file is read only if it holds tensors and no code.

    Raises:
        DataError: nothing is there, or it is damaged or something else.
    """
    path = Path(source)
    if path.is_dir() or path.suffix == ".json" or (path.suffix == ".safetensors" and _has_card(path)):
        description, tensors = read_stored(source, *stored_files(path))
        if not isinstance(description, NetworkCard):
            raise DataError(f"{source} is the detector {description.name}: name a classifier")
        return InitialWeights(source, tensors, description.classes)
    if not path.is_file():
        raise DataError(
            f"{source} is not there: name a folder that `nasgem export` wrote, a .safetensors file of a stage, or "
            "torchvision's weights as .pth or .safetensors"
        )
    found = _loaded(path)
    found = found.get("state_dict", found) if isinstance(found, Mapping) else found
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise DataError(f"{source} holds no state dict, so no tensors by name: save `model.state_dict()`")
    return InitialWeights(source, {_renamed(str(name)): value for name, value in found.items()})


def _shape_words(shape: tuple[int, ...] | None) -> str:
    return "is not there" if shape is None else f"has the shape {list(shape)}"


def _has_card(path: Path) -> bool:
    return path.with_suffix(".json").is_file()


def _loaded(path: Path) -> Any:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on foreign bytes a parser raises anything
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} cannot be read as weights, tensors by name without code: {reason:.200}") from None


def _renamed(name: str) -> str:
    for theirs, ours in _RENAMED:
        name = re.sub(theirs, ours, name)
    return name


def _body(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: value
        for name, value in tensors.items()
        if not name.startswith(_CLASSIFIER) and not name.endswith(_COUNTER)
    }
