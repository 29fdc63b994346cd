"""A cell as lines of text, for a terminal or a caption."""

from nasgem_core.cells.cell import Cell


def cell_summary(cell: Cell) -> str:
    """Return the numbers of vertices, edges and leaves, such as "4 vertices, 4 edges, 1 leaf"."""
    counts = (
        (cell.num_vertices, "vertex", "vertices"),
        (cell.num_edges, "edge", "edges"),
        (len(cell.leaves), "leaf", "leaves"),
    )
    return ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in counts)


def cell_text(cell: Cell) -> str:
    """Return one line per vertex, with its operation and its predecessors, between the summary and the output."""
    width = max(map(len, cell.operations))
    digits = len(str(cell.num_vertices - 1))
    lines = [cell_summary(cell), f"{0:>{digits}}  input"]
    for vertex in range(1, cell.num_vertices):
        sources = " ".join(map(str, cell.predecessors(vertex)))
        lines.append(f"{vertex:>{digits}}  {cell.operations[vertex]:<{width}}  <- {sources}")
    leaves = " ".join(map(str, cell.leaves))
    lines.append(f"{'':>{digits}}  {'output':<{width}}  <- {leaves}")
    return "\n".join(lines)
