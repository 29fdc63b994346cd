import pytest

from nasgem_core.benchmarks.table import write_table
from nasgem_core.errors import DataError, ParameterError
from tasks.benchmark.tables import TABLES, open_table, table_path
from tests.benchmarks.synthetic import synthetic_table


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_table_that_is_written_anew_is_read_anew():
    for rows in (20, 30):
        write_table(synthetic_table(rows), TABLES / "one.parquet")
        assert len(open_table("one")) == rows


def test_a_missing_table_names_those_that_are_there():
    write_table(synthetic_table(20), TABLES / "one.parquet")
    with pytest.raises(DataError, match=r"data/tables/mine\.parquet is missing \(imported: one\)"):
        open_table("mine")
    with pytest.raises(ParameterError, match="a name has letters, digits, _ and - only"):
        table_path("../elsewhere")
