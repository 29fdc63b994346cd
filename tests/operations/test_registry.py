import subprocess
import sys

import numpy as np
import pytest

from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError
from nasgem_core.operations import registry
from nasgem_core.operations.registry import OPERATIONS, check_operations, register_tabular

BUILT_IN = ("conv1x1", "conv3x3", "dwconv3x3", "dwconv5x5", "maxpool3x3", "skip")


def test_each_file_is_an_operation_of_its_name():
    assert OPERATIONS.names()[: len(BUILT_IN)] == BUILT_IN
    for name in BUILT_IN:
        assert OPERATIONS.get(name).name == name
        assert OPERATIONS.module_of(name) == f"nasgem_core.operations.builtin.{name}"


def test_looks_differ():
    looks = [(OPERATIONS.get(name).colour, OPERATIONS.get(name).marker) for name in BUILT_IN]
    assert all(len(set(values)) == len(BUILT_IN) for values in zip(*looks, strict=True))


def test_names_are_checked_without_torch():
    code = (
        "import sys, numpy as np\n"
        "from nasgem_core.cells.cell import Cell\n"
        "from nasgem_core.config.search import CellsConfig\n"
        "Cell(np.array([[0, 1], [0, 0]]), ('input', 'skip')), CellsConfig(operations=('skip',))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_unknown_names_are_refused():
    known = ", ".join(OPERATIONS.names())
    with pytest.raises(CellError, match=f"unknown operation 'conv9x9': known are {known}"):
        OPERATIONS.get("conv9x9")
    with pytest.raises(CellError, match=f"unknown operation 'conv9x9': known are {known}; add your own"):
        check_operations(("skip", "conv9x9"))


def test_cells_carry_names_of_measured_tables(monkeypatch):
    monkeypatch.setattr(registry, "_TABULAR", set())
    with pytest.raises(CellError, match="unknown operation 'their_pool'"):
        Cell(np.array([[0, 1], [0, 0]]), ("input", "their_pool"))
    register_tabular("their_pool")
    assert Cell(np.array([[0, 1], [0, 0]]), ("input", "their_pool")).operations[1] == "their_pool"
    assert "their_pool" not in OPERATIONS and "their_pool" not in OPERATIONS.names()
    with pytest.raises(CellError, match="reserved"):
        register_tabular("input")
