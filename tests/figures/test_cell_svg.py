from xml.etree import ElementTree

from hypothesis import given, settings

from nasgem_core.cells.cell import Cell
from nasgem_core.figures.cell_layout import layered_layout
from nasgem_core.figures.cell_svg import cell_svg, operation_colour
from nasgem_core.operations.registry import OPERATIONS
from tests.cells.graphs import cells


@settings(max_examples=30, deadline=None)
@given(cells())
def test_every_vertex_and_every_line_is_drawn_inside_the_frame(cell: Cell):
    root = ElementTree.fromstring(cell_svg(cell))
    width, height = map(float, root.get("viewBox").split()[2:])
    circles = list(root.iter("circle"))
    assert [each.find("title").text for each in circles] == list(cell.operations[1:])
    assert [each.find("title").text for each in root.iter("rect")] == ["input", "output"]
    assert len(list(root.iter("path"))) == len(layered_layout(cell).segments)
    for each in circles:
        x, y, radius = (float(each.get(name)) for name in ("cx", "cy", "r"))
        assert radius <= x <= width - radius and radius <= y <= height - radius
    for each in root.iter("rect"):
        left, top, side = (float(each.get(name)) for name in ("x", "y", "width"))
        assert left >= 0 and top >= 0 and left + side <= width and top + side <= height


def test_an_operation_without_looks_is_grey():
    assert operation_colour("conv1x1-bn-relu") == "#d9d9d9"
    assert operation_colour("conv1x1") == OPERATIONS.get("conv1x1").colour
