"""What a Python file holds of a cell: its graph as data, and the source of its operations' layers."""

import ast
import builtins
import inspect
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.python_file import Definition
from nasgem_core.errors import DataError
from nasgem_core.networks.cell_block import CellBlock, ConvBN, concatenate
from nasgem_core.operations.operation import LayerBuilder
from nasgem_core.operations.registry import OPERATIONS

_PROVIDED: Mapping[str, Any] = {"torch": torch, "Tensor": Tensor, "nn": nn, "math": math}
"""What the source of a layer may use: each exported file imports these names where it needs them."""


@dataclass(frozen=True)
class CellSource:
    """The parts of a Python file that a cell makes up.

    Args:
        data: constants by name.
        definitions: layers, a table of them by name, and `CellBlock`.
    """

    data: Mapping[str, Any]
    definitions: tuple[Definition, ...]

    def construct(self, network: type[nn.Module], numbers: Mapping[str, str], indent: int = 4) -> str:
        """Return the expression that builds a network from the cell and keywords, given as expressions.

        `indent` is that of the line in which the expression begins.
        """
        words = ["[LAYERS[name] for name in OPERATIONS[1:]]", "EDGES"]
        words += [f"{keyword}={expression}" for keyword, expression in numbers.items()]
        lines = "".join(f"{' ' * (indent + 4)}{word},\n" for word in words)
        return f"{network.__name__}(\n{lines}{' ' * indent})"


def cell_source(cell: Cell) -> CellSource:
    """Return what a Python file holds of a cell.

    Raises:
        DataError: the source of a layer cannot be read, or uses more than torch.
    """
    document = cell.to_dict()
    layers = {name: OPERATIONS.get(name).layer for name in OPERATIONS.names() if name in cell.operations}
    for name, layer in layers.items():
        reason = _reason_against(layer)
        if reason:
            raise DataError(f"the layer of operation {name!r} {reason}, so no file can hold its source")
    table = "".join(f'    "{name}": {layer.__name__},\n' for name, layer in layers.items())
    definitions: tuple[Definition, ...] = (
        *layers.values(),
        f"LAYERS = {{\n{table}}}\n",
        concatenate,
        ConvBN,
        CellBlock,
    )
    return CellSource({"OPERATIONS": document["operations"], "EDGES": document["edges"]}, definitions)


def _reason_against(layer: LayerBuilder) -> str:
    """Return why the source of a layer cannot be copied into a file, or an empty text where it can."""
    name = getattr(layer, "__qualname__", "")
    if not (inspect.isfunction(layer) or inspect.isclass(layer)) or not name.isidentifier():
        return "is not a function or class of a module"
    try:
        source = inspect.getsource(layer)
        names = _outer_names(ast.parse(source))
    except (OSError, TypeError, SyntaxError):
        return "has no source that can be read"
    known = vars(sys.modules[layer.__module__])
    for name in sorted(names):
        provided = known[name] is _PROVIDED.get(name) if name in known else hasattr(builtins, name)
        if not provided:
            return f"uses {name!r}, which is not torch's"
    return ""


def _outer_names(tree: ast.Module) -> set[str]:
    """Return the names that a source reads and does not define itself."""
    nodes = list(ast.walk(tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return {node.id for node in names} - own
