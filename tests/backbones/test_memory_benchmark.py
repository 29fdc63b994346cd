"""Parts of `benchmarks/memory.py`, which itself takes minutes."""

from tests.backbones.cells import sampled_cells
from tests.scripts import load_script

memory = load_script("memory")


def test_cells_of_thirty_vertices_are_found(capsys):
    chosen = memory.largest_cells(sampled_cells(memory.DRAWN), 5, 30)
    assert [cell.num_vertices for cell in chosen] == [30] * 5
    assert not capsys.readouterr().out


def test_too_few_are_reported_and_the_largest_kept(capsys):
    cells = sampled_cells(40)
    chosen = memory.largest_cells(cells, 3, 30)
    assert [cell.num_vertices for cell in chosen] == sorted((cell.num_vertices for cell in cells), reverse=True)[:3]
    full = sum(cell.num_vertices == 30 for cell in chosen)
    assert f"only {full} of 40 sampled cells have 30 vertices" in capsys.readouterr().out


def test_a_range_has_both_ends():
    assert memory.span([3.0, 1.25, 2.0], 2) == "1.25 to 3.00"
