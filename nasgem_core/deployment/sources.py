"""The Python file of each kind of network."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.deployment.python_file import python_file
from nasgem_core.deployment.specs import Spec
from nasgem_core.deployment.standalone import cell_network, gemnet
from nasgem_core.deployment.standalone.layers import KNOWN_OPERATIONS, ConvBN, DepthwiseSeparable, build_operation
from nasgem_core.deployment.traced import traced_file

_LAYERS = (DepthwiseSeparable, build_operation, ConvBN)


def source_of(card: NetworkCard, spec: Spec, network: nn.Module) -> str:
    """Return one Python file that rebuilds a network with torch alone.

    A network of a cell holds the cell as data; any other, and one with a user's own operation, is traced.

    Raises:
        DataError: it is neither, or tracing meets what is not torch's own.
    """
    if isinstance(spec, ProxySpec):
        layout = spec.layout
        own = {"WIDTH": layout.width, "STAGES": layout.stages, "STEM_STRIDE": layout.stem_stride}
        return _of_cell(card, network, spec.cell, own, (cell_network.Stage, cell_network.CellNetwork))
    if isinstance(spec, GEMNetSpec) and set(spec.cell.operations[1:]) <= set(KNOWN_OPERATIONS):
        own = {
            "CHANNELS": spec.channels,
            "REPEATS": spec.layout.repeats,
            "REDUCES": spec.layout.reduces,
            "STEM_STRIDE": spec.layout.stem_stride,
            "HEAD_CHANNELS": spec.layout.head_channels,
        }
        return _of_cell(card, network, spec.cell, own, (gemnet.Cell, gemnet.GEMNet))
    return traced_file(network, card)


def _of_cell(
    card: NetworkCard, network: nn.Module, cell: Cell, own: dict[str, Any], classes: Sequence[type[nn.Module]]
) -> str:
    """Return the file of a network whose class, the last one, takes the cell, the constants and the classes."""
    document = cell.to_dict()
    data = {"OPERATIONS": document["operations"], "EDGES": document["edges"], **own}
    construct = f"{classes[-1].__name__}({', '.join(data)}, len(CLASSES))"
    return python_file(card, network, data, (*_LAYERS, *classes), construct)
