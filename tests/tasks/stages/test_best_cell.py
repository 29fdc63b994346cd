import pytest

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from tasks.stages.best_cell import (
    BEST_CELL_FILE,
    FINALIST_FILE,
    best_cell_file,
    read_best_cell,
    read_searched_cell,
    remove_finalist,
    write_best_cell,
    write_finalist,
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_chosen_cell_is_read_as_it_was_written():
    with pytest.raises(DataError, match=r"best_cell\.json is missing: .*`nasgem stage bootstrap`"):
        read_best_cell()
    (cell,) = sample_cells(CellsConfig(), 1, 0)
    write_best_cell(cell)
    assert read_best_cell() == read_searched_cell() == cell and best_cell_file() == BEST_CELL_FILE
    assert BEST_CELL_FILE.is_file()
    remove_finalist()


def test_a_choice_among_finalists_counts_until_the_search_chooses_another_cell():
    searched, finalist, other = sample_cells(CellsConfig(), 3, 0)
    write_best_cell(searched)
    write_finalist(finalist, searched)
    assert (read_best_cell(), read_searched_cell()) == (finalist, searched) and best_cell_file() == FINALIST_FILE
    write_best_cell(searched)
    assert read_best_cell() == finalist, "the same search again"
    write_best_cell(other)
    assert read_best_cell() == other and best_cell_file() == BEST_CELL_FILE
    write_best_cell(searched)
    remove_finalist()
    assert read_best_cell() == searched


def test_a_foreign_file_is_refused_with_the_stage_that_makes_it():
    (cell,) = sample_cells(CellsConfig(), 1, 0)
    write_best_cell(cell)
    write_finalist(cell, cell)
    FINALIST_FILE.write_text("{}")
    with pytest.raises(DataError, match=r"^data/finalists/best_cell\.json is not .*`nasgem stage finalists`"):
        read_best_cell()
