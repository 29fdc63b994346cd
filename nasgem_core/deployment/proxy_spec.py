"""What rebuilds the proxy network of a cell: cell, layout and classes as plain values."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from torch import nn

from nasgem_core.cells.cell import Cell
from nasgem_core.config.checked_fields import bounded
from nasgem_core.config.documents import DocumentKind
from nasgem_core.networks.cell_block import graph_of
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.networks.proxy_network import ProxyNetwork

SCHEMA = "nasgem.proxy_network/1"
_KIND = DocumentKind("a proxy network", SCHEMA, "export it again")


@dataclass(frozen=True)
class ProxySpec:
    """The network that a cell is judged by.

    Args:
        cell: the graph.
        layout: widths and resolutions.
        num_classes: length of the logits.
    """

    cell: Cell
    layout: NetworkLayout
    num_classes: int = bounded(low=1)

    @property
    def name(self) -> str:
        """What it is called in tables and files."""
        return f"cell {self.cell.canonical_key[:8]}"

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.layout.image_size, self.layout.image_size

    def build(self) -> nn.Module:
        """Return the network in plain modules, as an exported file holds it: the keys are those of the trained one.

        Raises:
            CellError: an operation has no layer.
        """
        return ProxyNetwork(*graph_of(self.cell), **self.layout.numbers(), num_classes=self.num_classes)

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain JSON values."""
        layout = {**dataclasses.asdict(self.layout), "stages": list(self.layout.stages)}
        return {"schema": SCHEMA, "cell": self.cell.to_dict(), "layout": layout, "num_classes": self.num_classes}

    @classmethod
    def from_dict(cls, document: Any) -> "ProxySpec":
        """Read what `to_dict` wrote; raises `DataError` naming what is wrong."""
        return _KIND.read(cls, _KIND.fields_of(document))
