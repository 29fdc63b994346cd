from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.errors import DataError
from nasgem_core.predictors.notation import OUTPUT, Notation, lay_out
from tests.predictors.features.oracle import FREE

NAMES = ("conv3x3", "skip", "zero", "out")
PLAIN = Notation(("conv3x3",), (9.0,), "out", passing=("skip",), zero=("zero",))


def batch(edges, operations, width=None):
    """Return one cell; operations are those of vertices 1, 2, ..."""
    width = width or len(operations) + 1
    adjacency, codes = np.zeros((1, width, width), np.uint8), np.zeros((1, width), np.uint8)
    for u, v in edges:
        adjacency[0, u, v] = 1
    codes[0, : len(operations) + 1] = [1, *(2 + NAMES.index(name) for name in operations)]
    return CellBatch(adjacency, codes, NAMES)


def short(cells):
    edges = [(int(u), int(v)) for u, v in np.argwhere(cells.adjacency[0])]
    return [cells.operation_names[code - 2] for code in cells.codes[0] if code > 1], edges


def test_what_passes_its_input_on_is_bridged():
    cells = batch([(0, 1), (1, 2), (2, 3), (0, 3), (3, 4), (2, 4)], ["conv3x3", "skip", "conv3x3", "out"])
    assert short(lay_out(cells, PLAIN)) == (["conv3x3", "conv3x3", "out"], [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)])


def test_a_chain_of_skips_is_bridged_at_once():
    cells = batch([(0, 1), (1, 2), (2, 3), (3, 4)], ["skip", "skip", "skip", "out"])
    assert short(lay_out(cells, PLAIN)) == (["out"], [(0, 1)])


def test_what_gives_zeros_feeds_nothing():
    cells = batch([(0, 1), (0, 2), (1, 3), (2, 3)], ["zero", "conv3x3", "out"])
    assert short(lay_out(cells, PLAIN)) == (["conv3x3", "out"], [(0, 1), (1, 2)])


def test_leaves_feed_an_output_of_its_own():
    cells = batch([(0, 1), (0, 2), (1, 2), (1, 3)], ["conv3x3", "conv3x3", "conv3x3"], width=6)
    laid_out = lay_out(cells, Notation(("conv3x3",), (9.0,)))
    assert laid_out.operation_names == ("conv3x3", OUTPUT)
    assert short(laid_out) == (["conv3x3"] * 3 + [OUTPUT], [(0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4)])


def test_operations_are_numbered_as_the_notation_orders_them(cells):
    ordered = replace(FREE, operations=FREE.operations[::-1], costs=FREE.costs[::-1])
    laid_out = lay_out(cells, ordered)
    assert laid_out.operation_names == (*ordered.operations, OUTPUT)
    for i in range(10):
        names = [laid_out.operation_names[code - 2] for code in laid_out.codes[i] if code > 1]
        assert names == [*cells.cell(i).operations[1:], OUTPUT]


def test_the_given_cells_stay_as_they_are():
    cells = batch([(0, 1), (1, 2)], ["skip", "out"])
    before = cells.adjacency.copy(), cells.codes.copy()
    lay_out(cells, PLAIN)
    assert np.array_equal(before[0], cells.adjacency) and np.array_equal(before[1], cells.codes)


def test_operations_that_the_notation_does_not_know_are_refused():
    cells = batch([(0, 1), (1, 2)], ["skip", "out"])
    with pytest.raises(
        DataError, match="the notation does not fit: a cell has the operation 'skip', which is not among conv3x3, out"
    ):
        lay_out(cells, replace(PLAIN, passing=()))
    lay_out(batch([(0, 1), (1, 2)], ["conv3x3", "out"]), replace(PLAIN, passing=()))


@pytest.mark.parametrize("operations", [["conv3x3", "conv3x3"], ["out", "conv3x3"], ["out", "out"]])
def test_cells_without_one_output_at_their_end_are_refused(operations):
    with pytest.raises(DataError, match="cell 0 must have one vertex 'out', the last one"):
        lay_out(batch([(0, 1), (1, 2)], operations), PLAIN)


def test_operations_and_costs_must_fit():
    with pytest.raises(DataError, match="operations has 0 names"):
        Notation((), ())
    letters = "abcdefghijklmnopqrstuvwxy"
    assert len(Notation(tuple(letters[:24]), (1.0,) * 24).operations) == 24
    with pytest.raises(DataError, match="operations has 25 names: predictors read 1 to 24"):
        Notation(tuple(letters), (1.0,) * 25)
    with pytest.raises(DataError, match="costs has 1 numbers for 2 operations"):
        Notation(("a", "b"), (1.0,))
