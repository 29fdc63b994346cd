"""Cells as compact arrays for files and caches: one bit per possible edge, one byte per operation."""

from collections.abc import Mapping, Sequence

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import MAX_VERTICES
from nasgem_core.errors import DataError


def pack_cells(cells: CellBatch) -> dict[str, np.ndarray]:
    """Return {"edges": [B, ceil(V(V-1)/16)] uint8 bits of the upper triangle, "codes": [B, V] uint8}."""
    upper = cells.adjacency[:, *np.triu_indices(cells.width, 1)]
    return {"edges": np.packbits(upper, axis=1), "codes": cells.codes}


def unpack_cells(arrays: Mapping[str, np.ndarray], operation_names: Sequence[str]) -> CellBatch:
    """Read what `pack_cells` wrote; raises `DataError` if shapes or types do not match."""
    edges, codes = arrays.get("edges"), arrays.get("codes")
    if edges is None or codes is None or edges.dtype != np.uint8 or codes.dtype != np.uint8 or codes.ndim != 2:
        raise DataError("packed cells need 'edges' and 'codes', two tables of bytes")
    batch, width = codes.shape
    slots = width * (width - 1) // 2
    if not 1 <= width <= MAX_VERTICES or edges.shape != (batch, (slots + 7) // 8):
        raise DataError(f"packed cells: edges {edges.shape} do not match codes {codes.shape}")
    adjacency = np.zeros((batch, width, width), dtype=np.uint8)
    adjacency[:, *np.triu_indices(width, 1)] = np.unpackbits(edges, axis=1, count=slots)
    return CellBatch(adjacency, codes, tuple(operation_names))
