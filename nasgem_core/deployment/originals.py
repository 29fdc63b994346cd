"""The networks that forms are written from, with what every form may need to know of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import torch
from torch import nn

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.detector_program import INPUTS, OUTPUTS, canvas_of, detector_program
from nasgem_core.deployment.fast_form import ONNX_RUNTIME, TORCH, fast_form
from nasgem_core.deployment.programs import CARD_KEY, Ports, capture
from nasgem_core.deployment.specs import Spec, read_spec
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.networks.layout import IMAGE_CHANNELS

CANVAS_KEY = "canvas.json"
"""Name inside a detector's programs of height and width, in pixels, of the image that they take."""


class Original(Protocol):
    """A network in evaluation mode, with its weights."""

    ports: ClassVar[Ports]
    """Names of what the captured program takes and gives."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def document(self) -> str:
        """What rebuilds it, as JSON."""

    @property
    def notes(self) -> Mapping[str, str]:
        """Texts by their names, to be kept inside of programs."""

    @property
    def program(self) -> Any:
        """The network captured by torch.export, as PyTorch runs it; raises `DataError` where that fails."""

    @property
    def onnx_program(self) -> Any:
        """The network captured as ONNX Runtime runs it; raises `DataError` where that fails."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier to be exported.

    Args:
        card: how the network is built, and what it reads.
        network: the module with its weights, in evaluation mode.
    """

    card: NetworkCard
    network: nn.Module
    ports: ClassVar[Ports] = Ports(("images",), ("logits",), "batch")

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.card.name

    @property
    def document(self) -> str:
        """Its card, as JSON."""
        return self.card.to_json()

    @property
    def spec(self) -> Spec:
        """What the network is built from."""
        return read_spec(self.card.network)

    @property
    def notes(self) -> Mapping[str, str]:
        """Texts by their names, to be kept inside of programs."""
        return {CARD_KEY: self.document}

    @cached_property
    def program(self) -> Any:
        """The program of the network's fast form for PyTorch, for any number of images."""
        return self._captured(TORCH)

    @cached_property
    def onnx_program(self) -> Any:
        """The program of the network's fast form for ONNX Runtime, for any number of images."""
        return self._captured(ONNX_RUNTIME)

    def _captured(self, engine: str) -> Any:
        # Two images: torch.export fixes the number of images at one where the example has one.
        example = torch.zeros(2, IMAGE_CHANNELS, self.card.image_size, self.card.image_size)
        return capture(fast_form(self.network, engine), self.name, (example,), ({0: torch.export.Dim("batch")},))


@dataclass(frozen=True, eq=False)
class WholeDetector:
    """A detector to be exported.

    Args:
        spec: how the detector is built.
        network: the detector with its weights, in evaluation mode.
    """

    spec: DetectorSpec
    network: Detector
    ports: ClassVar[Ports] = Ports(INPUTS, OUTPUTS, "objects")

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.spec.name

    @property
    def document(self) -> str:
        """What rebuilds it, as JSON."""
        return self.spec.to_json()

    @property
    def notes(self) -> Mapping[str, str]:
        """Texts by their names, to be kept inside of programs."""
        return {CARD_KEY: self.document, CANVAS_KEY: json.dumps(canvas_of(self.network))}

    @cached_property
    def program(self) -> Any:
        """The program, for one picture that was resized, see `detector_program`."""
        module, example = detector_program(self.network)
        return capture(module, self.name, example)

    @property
    def onnx_program(self) -> Any:
        """The same program."""
        return self.program
