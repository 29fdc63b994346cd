from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nasgem_core.benchmarks.table import content_hash, write_table
from nasgem_core.errors import DataError, ParameterError
from tasks.benchmark.table_import import import_table
from tasks.benchmark.tables import open_table
from tests.benchmarks.synthetic import synthetic_table


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_table_that_was_written_before_is_taken_as_it_is(tmp_path):
    table = synthetic_table(30)
    write_table(table, tmp_path / "published.parquet")
    import_table("synthetic", tmp_path / "published.parquet")
    assert content_hash(open_table("synthetic")) == content_hash(table)
    import_table("renamed", tmp_path / "published.parquet", label="truth")
    renamed = open_table("renamed")
    assert (renamed.name, renamed.label, renamed.truth) == ("renamed", "truth", "truth")


def test_a_user_s_table_is_read_with_its_roles(tmp_path):
    table = synthetic_table(30)
    frame = pd.DataFrame({"cell": [cell.to_json() for cell in table.cells], "found": table.metrics["label"]})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(DataError, match=r"there is no file .*missing\.csv"):
        import_table("mine", tmp_path / "missing.csv", label="found")
    with pytest.raises(ParameterError, match="say with --label which column"):
        import_table("mine", tmp_path / "mine.csv")
    import_table("mine", tmp_path / "mine.csv", label="found")
    space = open_table("mine")
    assert (space.label, space.truth) == ("found", "found")
    np.testing.assert_allclose(space.metrics["found"], table.metrics["label"], rtol=1e-6)


def test_a_table_without_cells_replaces_nothing(tmp_path):
    table = synthetic_table(30)
    write_table(table, tmp_path / "whole.parquet")
    import_table("mine", tmp_path / "whole.parquet")
    empty = replace(
        table,
        cells=table.cells[:0],
        metrics={name: values[:0] for name, values in table.metrics.items()},
        hashes=table.hashes[:0],
    )
    write_table(empty, tmp_path / "empty.parquet")
    with pytest.raises(DataError, match=r"empty\.parquet has no cells"):
        import_table("mine", tmp_path / "empty.parquet")
    assert len(open_table("mine")) == len(table)


def test_names_and_roles_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="nasbench201 has its own label and truth"):
        import_table("nasbench201", tmp_path / "any.npz", label="c10_val")
    with pytest.raises(DataError, match=r"any\.csv: nasbench201-raw is imported from a \.pth or \.npz file"):
        import_table("nasbench201-raw", tmp_path / "any.csv")
    with pytest.raises(DataError, match=r"not an npz file of NAS-Bench-101"):
        import_table("nasbench101", tmp_path / "missing.npz")


def test_the_table_that_comes_with_the_package_needs_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = import_table("nasgem_bench").table
    assert len(table) > 500 and (tmp_path / "data/tables/nasgem_bench.parquet").is_file()
    for name in ("mine", "nasbench201"):
        with pytest.raises(ParameterError, match=f"table '{name}' does not come with nasgem, as nasgem_bench does"):
            import_table(name)


def test_options_of_a_user_s_table_are_passed_on_and_refused_for_others(tmp_path):
    rows = {"cell": ["|a~0|", "|skip_connect~0|+|a~1|", "|a~0|+|b~1|"], "found": [0.5, 0.25, 0.75]}
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(DataError, match="row 2 holds the same cell as row 1"):
        import_table("mine", tmp_path / "mine.csv", label="found", edges=True)
    found = import_table("mine", tmp_path / "mine.csv", label="found", edges=True, duplicates="mean")
    assert (found.rows, found.disagreeing) == (3, 1)
    assert open_table("mine").metrics["found"].tolist() == [0.375, 0.75]
    for options in ({"edges": True}, {"duplicates": "mean"}):
        with pytest.raises(ParameterError, match="leave out --edges and --duplicates"):
            import_table("nasgem_bench", **options)
        with pytest.raises(ParameterError, match="leave out --edges and --duplicates"):
            import_table("nasbench201", tmp_path / "any.npz", **options)
