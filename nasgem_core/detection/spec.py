"""What rebuilds a detector: its backbone, its categories and its settings, as a few plain values."""

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from nasgem_core.backbones.layout import IMAGE_SIZES, IMAGENET
from nasgem_core.backbones.published.strides import STRIDE
from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec, ScaledSpec
from nasgem_core.config.documents import DocumentKind
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.errors import ParameterError

if TYPE_CHECKING:
    from nasgem_core.detection.detector import Detector

SCHEMA = "nasgem.detector/1"
_KIND = DocumentKind("a detector", SCHEMA, "train the detector again")


@dataclass(frozen=True)
class DetectorSpec:
    """Everything that rebuilds a detector, its weights aside.

    Args:
        backbone: the network below it, in its layout for large images.
        categories: what it detects; the position of a category is its label.
        settings: head, sizes and normalisation.

    Raises:
        ParameterError: there is no category.
    """

    backbone: NetworkSpec
    categories: tuple[Category, ...]
    settings: DetectorSettings

    def __post_init__(self) -> None:
        if not self.categories:
            raise ParameterError("a detector needs at least one category: name what it is to find")

    @property
    def name(self) -> str:
        """What the detector is called in tables and files."""
        return f"{self.settings.kind}-{self.backbone.name}"

    def build(self) -> "Detector":
        """Return the detector with fresh weights, drawn from torch's global generator."""
        from nasgem_core.detection.detector import Detector

        return Detector(self.backbone.build(), len(self.categories), self.settings)

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain JSON values."""
        return {
            "schema": SCHEMA,
            "backbone": self.backbone.to_dict(),
            "categories": [asdict(category) for category in self.categories],
            "settings": {
                name: list(value) if isinstance(value, tuple) else value for name, value in vars(self.settings).items()
            },
        }

    def to_json(self) -> str:
        """Return the specification as indented JSON text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, document: Any) -> "DetectorSpec":
        """Read what `to_dict` wrote; raises `DataError` naming the wrong field and what to do."""
        return _KIND.read(cls, _KIND.fields_of(document))

    @classmethod
    def from_json(cls, text: str | bytes) -> "DetectorSpec":
        """Read what `to_json` wrote; raises `DataError` where it is not JSON or not a detector."""
        return cls.from_dict(_KIND.parse(text))


def for_detection(network: NetworkSpec) -> NetworkSpec:
    """Return a trained network as a backbone: with all halvings that a detector wants, and the same weights.

    What was trained on small images has fewer. They hold no weights: a GEMNet gets those of ImageNet's layout where it
    has as many stages, and a published network those that it has for images of ImageNet's size.
    """
    size = (IMAGE_SIZES[IMAGENET.name],) * 2
    if isinstance(network, ScaledSpec):
        return replace(network, image_size=size, stride=STRIDE)
    if not isinstance(network, GEMNetSpec):
        return replace(network, image_size=size)
    if len(network.layout.reduces) != len(IMAGENET.reduces):
        return network
    layout = replace(network.layout, name=IMAGENET.name, stem_stride=IMAGENET.stem_stride, reduces=IMAGENET.reduces)
    return replace(network, layout=layout, image_size=size)
