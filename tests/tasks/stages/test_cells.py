from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from tasks.stages.cells import sample_cells_task, sampled_cells

SPACE = CellsConfig(vertices=7)


def test_the_stream_is_the_core_s_and_a_longer_one_begins_with_a_shorter_one():
    found = sampled_cells(sample_cells_task.fn(SPACE, 8, 5))
    assert found.keys == sample_distinct_cells(SPACE, 8, 5).keys and found.operation_names == SPACE.operations
    assert sampled_cells(sample_cells_task.fn(SPACE, 3, 5)).keys == found.keys[:3]
