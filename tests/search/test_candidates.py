import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.known_blocks import MOBILENET_V2_6, SHUFFLENET
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import CellError, ParameterError
from nasgem_core.search import candidates as module
from nasgem_core.search.candidates import Edited, candidate_chunks
from nasgem_core.seeding import derive_seed

SPACE = CellsConfig(vertices=12, operations=("conv1x1", "dwconv3x3", "dwconv5x5"))
PARENTS = CellBatch.from_cells([SHUFFLENET.cell, MOBILENET_V2_6.cell], width=8)


def drawn(count, share=0.5, seed=3):
    return CellBatch.concatenate(list(candidate_chunks(SPACE, count, seed, Edited(PARENTS, share))))


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 500)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_them_are_edited_copies_and_the_rest_is_what_is_drawn_without(share):
    cells = drawn(1200, share)
    plain = CellBatch.concatenate(list(candidate_chunks(SPACE, 1200, 3)))
    same = (cells.codes == plain.codes).all(axis=1) & (cells.adjacency == plain.adjacency).all(axis=(1, 2))
    assert abs((~same).mean() - share) < 0.05
    assert len({cell.canonical_key for cell in cells[~same]}) >= 0.3 * (~same).sum()


def test_copies_are_near_their_parents():
    sizes = drawn(1000, 1.0).num_vertices
    assert {2, 4, 8} < set(sizes.tolist()) and sizes.max() <= 8 + module.MOST_EDITS
    one_edit = {cell.canonical_key for cell in drawn(20_000, 1.0)}
    wider = SHUFFLENET.cell.to_dict() | {"operations": ["input", "dwconv3x3", "conv1x1", "dwconv5x5"]}
    assert type(SHUFFLENET.cell).from_dict(wider).canonical_key in one_edit


def test_a_longer_run_begins_with_a_shorter_one():
    longer, shorter = drawn(1300), drawn(700)
    assert longer[:700].keys == shorter.keys and longer.keys != drawn(1300, seed=4).keys


def test_chunks_are_those_of_the_sampler_where_nothing_is_edited():
    (chunk,) = candidate_chunks(SPACE, 40, 9)
    assert chunk.keys == sample_cells(SPACE, 40, derive_seed(9, "chunk", 0)).keys


def test_what_cannot_be_edited_is_refused():
    with pytest.raises(ParameterError, match=r"^no cell is given"):
        Edited(PARENTS[:0], 0.5)
    with pytest.raises(ParameterError, match=r"^share = 1\.5: must be within 0 and 1$"):
        Edited(PARENTS, 1.5)
    with pytest.raises(CellError, match=r"dwconv3x3"):
        next(candidate_chunks(CellsConfig(vertices=12, operations=("conv1x1",)), 5, 0, Edited(PARENTS, 0.5)))


def test_edits_keep_cells_in_the_space():
    for cell in drawn(300, 1.0):
        assert cell.num_vertices <= SPACE.vertices and set(cell.operations[1:]) <= set(SPACE.operations)
    assert np.isin(drawn(300, 1.0).codes, range(2 + len(SPACE.operations))).all()
