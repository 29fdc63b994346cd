"""Operation codes: the byte that represents a vertex's operation in arrays of cells."""

from collections.abc import Mapping, Sequence

import numpy as np

from nasgem_core.operations.operation import INPUT

MAX_VERTICES = 250
"""Vertices that a cell may have, the input included: vertex numbers are stored in bytes."""
PADDING_CODE = 0
INPUT_CODE = 1
FIRST_OPERATION_CODE = 2


def code_table(operation_names: Sequence[str]) -> Mapping[str, int]:
    """Return the code of the input and of each operation name."""
    return {INPUT: INPUT_CODE} | {name: code for code, name in enumerate(operation_names, start=FIRST_OPERATION_CODE)}


def encode_operations(operations: Sequence[str], operation_names: Sequence[str]) -> np.ndarray:
    """Return the codes of one cell's vertices, uint8 [V]; raises `KeyError` for a name that is not listed."""
    table = code_table(operation_names)
    return np.array([table[name] for name in operations], dtype=np.uint8)
