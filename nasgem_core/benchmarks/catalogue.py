"""Published tables by name, each imported when it is first asked for."""

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.registry import Registry

_ROOM = "nasgem_core.benchmarks"
BENCHMARKS: Registry[Benchmark] = Registry(
    "table",
    {
        "nasbench101": f"{_ROOM}.nasbench101:BENCHMARK",
        "nasbench201": f"{_ROOM}.nasbench201:CONTRACTED",
        "nasbench201-raw": f"{_ROOM}.nasbench201:RAW",
    },
    "nasgem.tables",
)


def is_published(table: str) -> bool:
    """Say whether more is known of a table than what its file holds."""
    return table in BENCHMARKS.names()


def benchmark_of(table: str) -> Benchmark:
    """Return what is known of a table; of one that has another name, such as a user's, nothing is."""
    return BENCHMARKS.get(table) if is_published(table) else Benchmark()
