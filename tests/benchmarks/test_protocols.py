import pytest

from nasgem_core.benchmarks.protocols import training_sizes
from nasgem_core.errors import ParameterError


def test_sizes_are_the_papers_proportions_unless_others_are_wanted():
    assert training_sizes("nasgem_bench", 1000) == (60, 120, 180, 300, 420, 600)
    assert training_sizes("nasgem_bench", 40) == (4, 5, 7, 12, 17, 24)
    assert training_sizes("nasbench101", 423_624, (50, 20, 50)) == (20, 50)


def test_what_leaves_nothing_to_rank_is_refused():
    with pytest.raises(ParameterError, match=r"benchmark.sizes: 95 training cells of table 'mine', which has 100"):
        training_sizes("mine", 100, (20, 95))
