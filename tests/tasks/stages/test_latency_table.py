import pandas as pd
import pytest

from nasgem_core.errors import DataError
from tasks.stages.latency_table import TABLE_FILE, read_latency, write_latency

TABLE = pd.DataFrame({"network": ["a", "b"], "median_ms": [1.23456789, 2.0], "macs": [10, 20]})


def test_the_parquet_file_holds_all_digits_and_the_csv_file_six(tmp_path):
    write_latency(tmp_path, TABLE)
    assert read_latency(tmp_path / TABLE_FILE).equals(TABLE)
    assert (tmp_path / "latency.csv").read_text().splitlines() == ["network,median_ms,macs", "a,1.23457,10", "b,2,20"]


def test_another_file_is_refused(tmp_path):
    (tmp_path / TABLE_FILE).write_bytes(b"something else")
    with pytest.raises(DataError, match=r"latency\.parquet is not a nasgem\.latency/1 file"):
        read_latency(tmp_path / TABLE_FILE)
