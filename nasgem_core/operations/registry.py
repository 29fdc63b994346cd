"""The known operations by name. Asking for names imports no operation, and so no torch."""

from collections.abc import Iterable

from nasgem_core.errors import CellError
from nasgem_core.operations.operation import Operation, check_not_reserved
from nasgem_core.registry import Registry, modules_in

OPERATIONS: Registry[Operation] = Registry(
    "operation", modules_in("nasgem_core.operations.builtin", "OPERATION"), "nasgem.operations", error=CellError
)
"""Our own operations, those of installed packages, and those added in this process."""

_TABULAR: set[str] = set()
"""Names that only cells of measured tables carry: they have no costs and no layer, and are never listed."""


def register_tabular(name: str) -> None:
    """Let cells carry a name that only a measured table has, such as "nb101_output".

    Such an operation is not among `OPERATIONS`, from which parameters choose: it has no costs and no layer.
    """
    check_not_reserved(name)
    _TABULAR.add(name)


def check_operations(names: Iterable[str]) -> None:
    """Raise `CellError` for the first name that is neither an operation nor one of a measured table."""
    for name in names:
        if name not in OPERATIONS and name not in _TABULAR:
            raise CellError(
                f"unknown operation {name!r}: known are {', '.join(OPERATIONS.names())}; "
                "add your own to OPERATIONS, or install the package that has it"
            )
