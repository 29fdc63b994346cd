"""What rebuilds a network: a few plain values that go into JSON, checkpoints and registries."""

import json
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from nasgem_core.backbones.backbone import Backbone
from nasgem_core.backbones.layout import IMAGE_SIZES, IMAGENET, GEMNetLayout
from nasgem_core.backbones.published.layered import LayeredBackbone
from nasgem_core.backbones.published.mobile import MULTIPLE, SCALABLE
from nasgem_core.cells.cell import Cell
from nasgem_core.config.checked_fields import optional
from nasgem_core.config.documents import DocumentKind, shown
from nasgem_core.errors import ParameterError

SCHEMA = "nasgem.network/2"
IMAGENET_CLASSES = 1000
MOST_CLASSES, LARGEST_SIDE = 10**6, 2**14
"""Limits of what a document may ask for: beyond them lie mistakes, and networks that fill the memory."""
_KIND = DocumentKind("a network", SCHEMA, "write the document again with `nasgem build`")


@dataclass(frozen=True)
class NetworkSpec(ABC):
    """Everything that rebuilds a network, its weights aside.

    Args:
        name: what it is called in tables and files.
        num_classes: length of the logits.
        image_size: height and width of the images that it is meant for, in pixels; others work as well.

    Raises:
        ParameterError: a value is out of range.
    """

    name: str
    num_classes: int
    image_size: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", tuple(self.image_size))
        if not 1 <= self.num_classes <= MOST_CLASSES:
            raise ParameterError(f"num_classes = {shown(self.num_classes)}: must lie between 1 and {MOST_CLASSES}")
        if len(self.image_size) != 2 or not all(1 <= side <= LARGEST_SIDE for side in self.image_size):
            found = shown(list(self.image_size))
            raise ParameterError(f"image_size = {found}: give height and width, each between 1 and {LARGEST_SIDE}")

    @property
    @abstractmethod
    def kind(self) -> str:
        """Its word in documents."""

    @abstractmethod
    def build(self) -> Backbone:
        """Return the network with fresh weights, drawn from torch's global generator."""

    @abstractmethod
    def _own_fields(self) -> dict[str, Any]:
        """Return the fields of the kind as plain JSON values."""

    def with_classes(self, num_classes: int) -> Self:
        """Return the same network for another number of classes."""
        return replace(self, num_classes=num_classes)

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain JSON values."""
        common = {"name": self.name, "num_classes": self.num_classes, "image_size": list(self.image_size)}
        return {"schema": SCHEMA, "kind": self.kind, **common, **self._own_fields()}

    def to_json(self) -> str:
        """Return the specification as indented JSON text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @staticmethod
    def from_dict(document: Any) -> "NetworkSpec":
        """Read what `to_dict` wrote; raises `DataError` naming the wrong field and what to do."""
        fields = _KIND.fields_of(document)
        kind = fields.pop("kind", None)
        if not isinstance(kind, str) or kind not in _CLASSES:
            raise _KIND.refusal(f"kind = {shown(kind)}: must be one of {', '.join(_CLASSES)}")
        if _CLASSES[kind] is ScaledSpec:
            fields["family"] = kind
        return _KIND.read(_CLASSES[kind], fields)

    @staticmethod
    def from_json(text: str | bytes) -> "NetworkSpec":
        """Read what `to_json` wrote; raises `DataError` where it is not JSON or not a network."""
        return NetworkSpec.from_dict(_KIND.parse(text))


@dataclass(frozen=True)
class GEMNetSpec(NetworkSpec):
    """GEMNet of a cell.

    Args:
        cell: the graph.
        layout: skeleton and halvings.
        width: channels of a vertex where the scale is 1, before rounding.
        channels: channels of the stem and of a vertex in each stage; without them those that the width gives.
    """

    kind: ClassVar[str] = "gemnet"
    cell: Cell
    layout: GEMNetLayout
    width: float
    channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.width) and self.width > 0):
            raise ParameterError(f"width = {self.width}: must be above 0")
        skeleton = self.layout.skeleton
        channels = self.channels or skeleton.channels(self.width)
        object.__setattr__(self, "channels", skeleton.check_channels(channels))
        self.layout.resolutions(self.image_size)

    def build(self) -> Backbone:
        """Return the network with fresh weights, drawn from torch's global generator."""
        from nasgem_core.backbones.gemnet import GEMNet

        return GEMNet(self.cell, self.layout, self.channels, self.num_classes)

    def _own_fields(self) -> dict[str, Any]:
        return {
            "width": self.width,
            "channels": list(self.channels),
            "layout": self.layout.to_dict(),
            "cell": self.cell.to_dict(),
        }


@dataclass(frozen=True)
class PublishedSpec(NetworkSpec):
    """One of the published networks of Tables 1 and 2; `name` is its name in the catalogue."""

    kind: ClassVar[str] = "published"

    @classmethod
    def for_imagenet(cls, name: str) -> Self:
        """Return it as it was published: 1000 classes, images of 224x224."""
        return cls(name, IMAGENET_CLASSES, (IMAGE_SIZES[IMAGENET.name],) * 2)

    def build(self) -> Backbone:
        """Return the network with fresh weights; raises `ParameterError` where the name is unknown."""
        from nasgem_core.backbones.published.catalogue import published_network
        from nasgem_core.backbones.published.strides import suitable_stride

        return published_network(self.name, self.num_classes, suitable_stride(self.image_size))

    def _own_fields(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class ScaledSpec(NetworkSpec):
    """A mobile network of any width.

    Args:
        family: which one, a name of `SCALABLE`.
        width: multiplier of its channels.
        stride: of the coarsest map: 32 as published, 16 or 8 for small images.
        multiple: channels are rounded to multiples of it, 8 as published.
    """

    family: str
    width: float
    stride: int
    multiple: int = optional(MULTIPLE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.family not in SCALABLE:
            raise ParameterError(f"family = {self.family!r}: choose one of {', '.join(SCALABLE)}")
        if not 0 < self.width <= 100:
            raise ParameterError(f"width = {self.width}: must be above 0 and at most 100")
        if self.multiple < 1:
            raise ParameterError(f"multiple = {self.multiple}: must be at least 1")

    @property
    def kind(self) -> str:
        """Its word in documents."""
        return self.family

    def build(self) -> LayeredBackbone:
        """Return the network with fresh weights; raises `ParameterError` for a stride that it cannot have."""
        return SCALABLE[self.family](self.width, self.num_classes, self.stride, self.multiple)

    def _own_fields(self) -> dict[str, Any]:
        return {"width": self.width, "stride": self.stride, "multiple": self.multiple}


_CLASSES: dict[str, type[NetworkSpec]] = {
    GEMNetSpec.kind: GEMNetSpec,
    PublishedSpec.kind: PublishedSpec,
    **dict.fromkeys(SCALABLE, ScaledSpec),
}
