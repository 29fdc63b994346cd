"""Where the benchmarks' files lie, which are not part of the project."""

import os
from pathlib import Path

import pytest

VARIABLE = "NASGEM_BENCHMARK_DATA"


def official(name: str) -> Path:
    """Return the path of a benchmark's file, or skip the test where it is absent."""
    folder = Path(os.environ.get(VARIABLE) or Path(__file__).parents[3] / "shared" / "data")
    path = folder / name
    if not path.is_file():
        pytest.skip(f"{name} is not in {folder}: set {VARIABLE} to the folder that holds it")
    return path
