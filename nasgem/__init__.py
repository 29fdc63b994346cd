"""The names that a user of the package needs; docs/library.md shows each.

A name is imported at its first use, so `import nasgem` takes no time. All but `search` and `best_cell` are from
`nasgem_core`, and these two work in processes of their own: a module of yours that is called `tasks` or `flows`, as two
of our packages are, is not in the way.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasgem.searching import best_cell, search
    from nasgem_core.backbones.building import build_gemnet
    from nasgem_core.cells.batch import CellBatch
    from nasgem_core.cells.cell import Cell
    from nasgem_core.cells.sampling import sample_cells
    from nasgem_core.config.search import CellsConfig
    from nasgem_core.deployment.opening import open_network
    from nasgem_core.errors import NasgemError
    from nasgem_core.kernel.matrix import wl_kernel
    from nasgem_core.predictors.fitting import fit_predictor

__all__ = [
    "Cell",
    "CellBatch",
    "CellsConfig",
    "NasgemError",
    "best_cell",
    "build_gemnet",
    "fit_predictor",
    "open_network",
    "sample_cells",
    "search",
    "wl_kernel",
]
_HOMES = {
    "Cell": "nasgem_core.cells.cell",
    "CellBatch": "nasgem_core.cells.batch",
    "CellsConfig": "nasgem_core.config.search",
    "NasgemError": "nasgem_core.errors",
    "best_cell": "nasgem.searching",
    "build_gemnet": "nasgem_core.backbones.building",
    "fit_predictor": "nasgem_core.predictors.fitting",
    "open_network": "nasgem_core.deployment.opening",
    "sample_cells": "nasgem_core.cells.sampling",
    "search": "nasgem.searching",
    "wl_kernel": "nasgem_core.kernel.matrix",
}


if not TYPE_CHECKING:  # to type checkers it would mean that any name is there

    def __getattr__(name: str) -> Any:
        """Import a name at its first use (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module 'nasgem' has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """List the names, imported or not."""
    return sorted({*globals(), *__all__})
