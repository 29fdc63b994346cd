"""The trained cells on the page: drawings, and what leads to them."""

import pytest

from nasgem_core.figures.page_parts import Link
from tasks.stages import report_cells
from tasks.stages.report_cells import anchor_of, cells_gallery, linked_cells_table, point_titles
from tests.tasks.made_up_search import KEYS, write_made_up_search


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_made_up_search()


def test_every_cell_that_has_a_score_is_drawn_best_first(results):
    gallery = cells_gallery(results.distinct, KEYS[0])
    assert [each.anchor for each in gallery.drawings] == [anchor_of(key) for key in results.distinct.ranked.key]
    assert gallery.drawings[0].words.startswith(f"cell {KEYS[0][:8]}, predicted, round 1: accuracy 0.6000, score ")
    assert [each.words.endswith("; chosen") for each in gallery.drawings] == [True, False, False, False]
    assert set(gallery.colours) == {name for cell in results.distinct.usable.cells for name in cell.operations[1:]}
    assert "are drawn" not in gallery.note


def test_of_many_cells_the_best_are_drawn_and_the_chosen_one(results, monkeypatch):
    monkeypatch.setattr(report_cells, "_MOST", 1)
    worst = results.distinct.ranked.key[-1]
    gallery = cells_gallery(results.distinct, worst)
    assert [each.anchor for each in gallery.drawings] == [anchor_of(KEYS[0]), anchor_of(worst)]
    assert gallery.note.endswith("The best 2 of 4 cells are drawn.")


def test_points_and_rows_lead_to_the_drawings(results):
    anchors = {each.anchor for each in cells_gallery(results.distinct, KEYS[0]).drawings}
    titles = point_titles(results.distinct)
    assert {f"#{anchor}" for anchor in anchors} == titles.keys() and len(set(titles.values())) == 4
    header, rows = linked_cells_table(results.distinct, 3)
    assert header[1] == "cell" and rows[0][1] == Link(KEYS[0][:8], anchor_of(KEYS[0])) and len(rows) == 3
