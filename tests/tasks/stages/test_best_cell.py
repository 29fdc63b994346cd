import pytest

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from tasks.stages.best_cell import BEST_CELL_FILE, read_best_cell, write_best_cell


def test_the_chosen_cell_is_read_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"best_cell\.json is missing: .*`nasgem stage bootstrap`"):
        read_best_cell()
    (cell,) = sample_cells(CellsConfig(), 1, 0)
    write_best_cell(cell)
    assert read_best_cell() == cell and BEST_CELL_FILE.is_file()
