import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from tasks.run import documents
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


SEARCHED, CHOSEN = sample_cells(CellsConfig(), 2, 0)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_is_read_as_another_cell(data):
    write_best_cell(SEARCHED)
    write_finalist(CHOSEN, SEARCHED)
    path = data.draw(st.sampled_from([BEST_CELL_FILE, FINALIST_FILE]))
    changed = bytearray(path.read_bytes())
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        assert read_best_cell() == CHOSEN
    except DataError as error:
        assert str(error).startswith(f"{path} is not a nasgem.best_cell/1 file") and "`nasgem stage" in str(error)


def test_a_cell_that_a_person_has_written_is_taken_and_said(monkeypatch):
    lines = []
    documents.say_hand_written.cache_clear()
    monkeypatch.setattr(documents, "say", lines.append)
    BEST_CELL_FILE.parent.mkdir(parents=True)
    document = {"schema": "nasgem.best_cell/1", "cell": CHOSEN.to_dict()}
    BEST_CELL_FILE.write_text(json.dumps(document))
    assert read_best_cell() == read_searched_cell() == CHOSEN
    assert lines == [f"  {BEST_CELL_FILE} has no checksum: it is taken as written by hand"]
    for wrong, message in (
        ({"cells": 1}, "has no field 'cell'"),
        ({"cell": {}}, "field 'cell': not a cell: field 'schema'"),
    ):
        BEST_CELL_FILE.write_text(json.dumps({"schema": "nasgem.best_cell/1", **wrong}))
        with pytest.raises(DataError, match=rf"^{BEST_CELL_FILE}.*{message}"):
            read_best_cell()
