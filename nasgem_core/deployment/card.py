"""What travels with a network's weights: how it is built, what it reads, and what its outputs mean."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nasgem_core.backbones.spec import LARGEST_SIDE
from nasgem_core.config.checked_fields import optional
from nasgem_core.config.documents import DocumentKind, shown
from nasgem_core.errors import DataError

SCHEMA = "nasgem.card/1"
_NAME = re.compile(r"[\w.+-][\w.+ -]{0,99}")
"""A name appears in comments of files and in names of models."""
_KIND = DocumentKind("a network's card", SCHEMA, "export or register the network again")


@dataclass(frozen=True)
class NetworkCard:
    """A network's card, the same JSON in every exported form.

    Args:
        name: what the network is called.
        network: the document that rebuilds it, such as `NetworkSpec.to_dict()`.
        classes: what each logit stands for.
        image_size: height and width of the images, in pixels.
        centre_share: side of the square at the centre of a picture that the network is shown, by its shorter side.
        mean: of each colour, for values in [0, 1]; subtracted.
        std: of each colour; divided by.
        metrics: what was measured of the network, such as {"top1": 0.76}.
        trained: whether its weights have been trained.

    Raises:
        DataError: a value is out of range, or there are not three colours.
    """

    name: str
    network: Mapping[str, Any]
    classes: tuple[str, ...]
    image_size: int
    centre_share: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    metrics: Mapping[str, int | float] = field(default_factory=dict)
    trained: bool = optional(True)

    def __post_init__(self) -> None:
        check_name(self.name)
        if not self.classes:
            raise DataError(f"field 'classes' of the card of {self.name} is empty: name at least one class")
        if self.image_size < 1:
            raise DataError(f"image_size = {self.image_size} in the card of {self.name}: must be at least 1")
        if self.image_size > LARGEST_SIDE:
            found = shown(self.image_size)
            raise DataError(f"image_size = {found} in the card of {self.name}: must be at most {LARGEST_SIDE}")
        if not 0 < self.centre_share <= 1:
            raise DataError(f"centre_share = {self.centre_share} in the card of {self.name}: must lie in (0, 1]")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if len(values) != 3 or not all(map(math.isfinite, values)) or (name == "std" and min(values) <= 0):
                raise DataError(
                    f"{name} = {list(values)} in the card of {self.name}: must be three finite numbers, std above 0"
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain JSON values; only the card of an untrained network has the field `trained`."""
        document = {
            "schema": SCHEMA,
            "name": self.name,
            "network": dict(self.network),
            "classes": list(self.classes),
            "image_size": self.image_size,
            "centre_share": self.centre_share,
            "mean": list(self.mean),
            "std": list(self.std),
            "metrics": dict(self.metrics),
        }
        return document if self.trained else {**document, "trained": False}

    def to_json(self) -> str:
        """Return the card as text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_dict(cls, document: Any) -> "NetworkCard":
        """Read what `to_dict` wrote; raises `DataError` naming the wrong field."""
        return _KIND.read(cls, _KIND.fields_of(document))

    @classmethod
    def from_json(cls, text: str | bytes) -> "NetworkCard":
        """Read what `to_json` wrote; raises `DataError`."""
        return cls.from_dict(_KIND.parse(text))


def check_name(name: str) -> str:
    """Return a network's name; raises `DataError` where it cannot appear in comments of files."""
    if not _NAME.fullmatch(name):
        raise DataError(
            f"field 'name' of the network's card is {name!r:.120}: use 1 to 100 letters, digits, blanks and _ . + -"
        )
    return name
