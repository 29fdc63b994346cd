"""The Python file of each kind of network."""

import contextlib
from collections.abc import Mapping
from typing import Any

from torch import nn

from nasgem_core.backbones import gemnet_modules
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.cell_source import cell_source
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.deployment.python_file import python_file
from nasgem_core.deployment.specs import Spec
from nasgem_core.deployment.traced import traced_file
from nasgem_core.errors import DataError
from nasgem_core.networks.proxy_network import ProxyNetwork


def source_of(card: NetworkCard, spec: Spec, network: nn.Module) -> str:
    """Return one Python file that rebuilds a network with torch alone.

    A network of a cell holds the cell as data and the source of its operations; any other network, and one with an
    operation whose source cannot be read or uses more than torch, is traced.

    Raises:
        DataError: the network is traced, and tracing meets what is not torch's own.
    """
    if isinstance(spec, ProxySpec):
        with contextlib.suppress(DataError):
            return _of_cell(card, network, spec.cell, spec.layout.numbers(), (ProxyNetwork,))
    if isinstance(spec, GEMNetSpec):
        numbers = {"channels": spec.channels, **spec.layout.numbers(spec.cell)}
        with contextlib.suppress(DataError):
            return _of_cell(card, network, spec.cell, numbers, gemnet_modules.DEFINITIONS)
    return traced_file(network, card)


def _of_cell(
    card: NetworkCard, network: nn.Module, cell: Cell, numbers: Mapping[str, Any], definitions: tuple[Any, ...]
) -> str:
    """Return the file of a network whose class, the last definition, takes layers, edges, numbers and classes."""
    graph = cell_source(cell)
    data = {keyword.upper(): value for keyword, value in numbers.items()}
    words = {keyword: keyword.upper() for keyword in numbers} | {"num_classes": "len(CLASSES)"}
    construct = graph.construct(definitions[-1], words)
    return python_file(card, network, {**graph.data, **data}, (*graph.definitions, *definitions), construct)
