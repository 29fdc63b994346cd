from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.seeding import derive_seed
from tasks.stages.pairs import read_pairs, unpack_pairs


def test_the_pairs_of_the_parameters_are_written(small_search):
    config = small_search.config
    found, expected = unpack_pairs(read_pairs()), draw_pairs(config.cells, config.pairs, derive_seed(0, "pairs"))
    assert found.left.keys == expected.left.keys and found.right.keys == expected.right.keys
    assert len(found.left) == config.pairs.count
