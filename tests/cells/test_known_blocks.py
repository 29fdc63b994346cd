import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import BLOCKS, REGNET, KnownBlock, known_blocks
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import NasgemError
from nasgem_core.operations.registry import OPERATIONS

EVERYTHING = CellsConfig(operations=OPERATIONS.names())
SPACES = st.builds(
    CellsConfig,
    vertices=st.integers(2, 30),
    operations=st.lists(st.sampled_from(OPERATIONS.names()), min_size=1, unique=True).map(tuple),
)


def cell_of(name: str) -> Cell:
    return BLOCKS.get(name).cell


def test_mobilenet_v1_is_one_depthwise_separable_convolution():
    assert cell_of("mobilenet_v1").operations == ("input", "dwconv3x3")


@pytest.mark.parametrize("expansion", [3, 4, 6])
def test_mobilenet_v2_expands_the_input_and_ends_in_one_depthwise_separable_convolution(expansion):
    cell = cell_of(f"mobilenet_v2_{expansion}")
    assert cell.operations == ("input", *["conv1x1"] * expansion, "dwconv3x3")
    wide, last = tuple(range(1, expansion + 1)), expansion + 1
    assert all(cell.predecessors(vertex) == (0,) for vertex in wide)
    assert cell.predecessors(last) == wide and cell.leaves == (last,) and cell.num_edges == 2 * expansion
    assert BLOCKS.get(f"mobilenet_v2_{expansion}").title == f"MobileNetV2, expansion {expansion}"


def test_the_others_have_their_branches_and_chains():
    shuffle, convnext, regnet = map(cell_of, ("shufflenet", "convnext", "regnet"))
    assert shuffle.operations == ("input", "dwconv3x3", "conv1x1", "dwconv3x3") and shuffle.leaves == (1, 3)
    assert convnext.operations == ("input", "dwconv3x3", *["conv1x1"] * 5)
    assert convnext.predecessors(6) == (2, 3, 4, 5) and convnext.leaves == (6,) and convnext.num_edges == 9
    assert regnet.operations == ("input", "conv1x1", "conv3x3", "conv1x1") and regnet.leaves == (3,)
    assert regnet.num_edges == 3


def test_all_of_them_differ_and_have_names_of_their_own():
    blocks = known_blocks(EVERYTHING)
    assert len(blocks) == len(BLOCKS.names()) == 7
    assert len({block.cell.canonical_key for block in blocks}) == len({block.title for block in blocks}) == 7


@given(SPACES)
def test_those_of_a_space_are_valid_cells_of_it(space):
    blocks = known_blocks(space)
    for block in blocks:
        cell = block.cell
        assert Cell.from_json(cell.to_json()) == cell == Cell.pruned(cell.adjacency, cell.operations)
        assert cell.num_vertices <= space.vertices and set(cell.operations[1:]) <= set(space.operations)
    others = {block.title for block in known_blocks(EVERYTHING)} - {block.title for block in blocks}
    for name in BLOCKS.names():
        block = BLOCKS.get(name)
        fits = block.cell.num_vertices <= space.vertices and set(block.cell.operations[1:]) <= set(space.operations)
        assert fits == (block.title not in others)


def test_a_block_of_a_package_is_one_of_them_unless_it_repeats_another(monkeypatch):
    monkeypatch.setattr(BLOCKS, "_added", {})
    BLOCKS.add("again", KnownBlock("RegNet again", REGNET.cell.canonical_form()))
    chain = Cell.from_dict({"schema": "nasgem.cell/1", "operations": ["input", "skip"], "edges": [[0, 1]]})
    BLOCKS.add("identity", KnownBlock("identity", chain))
    assert [block.title for block in known_blocks(EVERYTHING)][-2:] == ["RegNet-like", "identity"]
    with pytest.raises(NasgemError, match="unknown block 'resnet'"):
        BLOCKS.get("resnet")
