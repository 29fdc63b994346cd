"""What is known of a table that is imported under the name `lab`, beyond what its file holds."""

from nasgem_core.benchmarks.benchmark import Benchmark

BENCHMARK = Benchmark(sizes=(20, 50, 100), bias_sizes=(20, 100), runs=3)
