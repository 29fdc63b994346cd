"""The operations a vertex can carry, with their analytic costs.

A layer is built in `nasgem_core.networks.operations`; here is its twin in numbers, so that multiply-adds
and parameters of a cell are known without building a network.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nasgem_core.errors import CellError

INPUT = "input"
"""Name of the operation of vertex 0, the cell's input."""

Count = np.ndarray
"""Channel numbers, of any shape; costs are computed elementwise."""


@dataclass(frozen=True)
class Operation:
    """One operation as numbers.

    Args:
        name: the word used in cells, parameters and files.
        macs_per_pixel: multiply-adds an output pixel, from (input channels, output channels).
        params: learnable numbers, from the same, the batch normalisation that follows included.
        colour: fill colour in drawings.
    """

    name: str
    macs_per_pixel: Callable[[Count, Count], Count]
    params: Callable[[Count, Count], Count]
    colour: str = "#d9d9d9"


_REGISTRY: dict[str, Operation] = {}
_TABULAR: dict[str, Operation] = {}
"""Operations that cells of measured tables carry: never listed, never built."""


def register(operation: Operation) -> None:
    """Make an operation known by its name; registering the same name again replaces it."""
    if operation.name in ("", INPUT):
        raise CellError(f"operation name {operation.name!r} is reserved: choose another name")
    _REGISTRY[operation.name] = operation


def register_tabular(name: str) -> None:
    """Make a name known that only cells of a measured table carry, such as "nb101_output".

    Such an operation has no layer and no costs of its own: asking for its costs raises `CellError`, and
    `known_operations`, from which parameters choose, leaves it out. An operation that is registered stays as it is.
    """
    if name in ("", INPUT):
        raise CellError(f"operation name {name!r} is reserved: choose another name")

    def refuse(c_in: Count, c_out: Count) -> Count:
        raise CellError(f"operation {name!r} stands in a measured table only: take its costs from the table's columns")

    _TABULAR.setdefault(name, Operation(name, refuse, refuse))


def known_operations() -> tuple[str, ...]:
    """Return the names of all registered operations, those of tables aside."""
    return tuple(_REGISTRY)


def get_operation(name: str) -> Operation:
    """Return the registered operation, or raise `CellError` naming it and the known ones."""
    try:
        return _REGISTRY[name] if name in _REGISTRY else _TABULAR[name]
    except KeyError:
        known = ", ".join(_REGISTRY)
        raise CellError(
            f"unknown operation {name!r}: known are {known}; register your own with register_operation"
        ) from None


register(
    Operation(
        "conv1x1",
        macs_per_pixel=lambda c_in, c_out: c_in * c_out,
        params=lambda c_in, c_out: c_in * c_out + 2 * c_out,
        colour="#9ecae1",
    )
)
register(
    Operation(
        "dwconv3x3",
        macs_per_pixel=lambda c_in, c_out: 9 * c_in + c_in * c_out,
        params=lambda c_in, c_out: 9 * c_in + c_in * c_out + 2 * c_out,
        colour="#fdae6b",
    )
)
register(
    Operation(
        "conv3x3",
        macs_per_pixel=lambda c_in, c_out: 9 * c_in * c_out,
        params=lambda c_in, c_out: 9 * c_in * c_out + 2 * c_out,
        colour="#a1d99b",
    )
)
