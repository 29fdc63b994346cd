from pathlib import Path

import pytest

from nasgem_core.bundled_files import IMAGES, PROFILES, TABLES

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("bundled", "home"),
    [
        (PROFILES, "profiles"),
        (IMAGES / "cifar10_proxy.npz", "data/raw/cifar10_proxy.npz"),
        (IMAGES / "README.md", "data/raw/README.md"),
        (TABLES / "nasgem_bench.parquet", "data/nasgem_bench/table.parquet"),
    ],
)
def test_bundled_files_have_one_home(bundled: Path, home: str):
    assert bundled.exists() and bundled.resolve() == (ROOT / home).resolve()
