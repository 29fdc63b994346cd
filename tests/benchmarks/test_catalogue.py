import pytest

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.catalogue import BENCHMARKS, benchmark_of, is_published
from nasgem_core.benchmarks.mutation import Mutation
from nasgem_core.predictors.relevances import Relevances


@pytest.mark.parametrize("name", BENCHMARKS.names())
def test_published_tables_say_how_they_are_read(name):
    benchmark = benchmark_of(name)
    assert is_published(name) and isinstance(benchmark, Benchmark)
    assert ".npz" in benchmark.readers and len(benchmark.readers) == 2
    assert (benchmark.notation is None) == bool(benchmark.read_instead)
    assert list(benchmark.sizes) == sorted(set(benchmark.sizes))


def test_nasbench101_can_be_searched_and_its_truth_is_the_mean_of_three_runs():
    benchmark = benchmark_of("nasbench101")
    assert (benchmark.edits, benchmark.runs, benchmark.bias_sizes) == (Mutation, 3, (200, 500, 1000, 2000))
    assert all(benchmark_of(name).edits is None for name in BENCHMARKS.names() if name != "nasbench101")


def test_of_another_table_nothing_is_known():
    assert not is_published("nasgem_bench")
    assert benchmark_of("nasgem_bench") == Benchmark()
    assert Benchmark().prior == Relevances() and Benchmark().runs == 1 and not Benchmark().readers
