from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.config.search import CellsConfig, PredictorConfig, SearchConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.operations.registry import OPERATIONS
from tasks.stages.earlier import earlier_searches
from tests.tasks.made_up_search import CELLS, write_made_up_search


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return the folder of a search, with another one next to it as the current folder."""
    for name in ("before", "now"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "before")
    write_made_up_search()
    monkeypatch.chdir(tmp_path / "now")
    return tmp_path


def config(*folders: str, **options) -> SearchConfig:
    return SearchConfig(predictor=PredictorConfig(earlier=folders, **options))


def test_trainings_that_succeeded_are_read_from_both_stages(folders):
    (found,) = earlier_searches(config("../before"))
    assert [cell.canonical_key for cell in found.cells] == [CELLS[i].canonical_key for i in (0, 2, 3, 4)]
    assert found.values.mean() == pytest.approx(0) and found.values.std() == pytest.approx(1)
    (accuracies,) = earlier_searches(config(str(folders / "before"), target="accuracy"))
    assert accuracies.values.std() == pytest.approx(1) and not np.allclose(accuracies.values, found.values)
    assert earlier_searches(config()) == ()


def test_folders_that_cannot_be_learned_from_are_named(folders, monkeypatch):
    with pytest.raises(DataError, match=r"elsewhere/data/estimator/cells\.parquet is missing: name the folder of a"):
        earlier_searches(config("../elsewhere"))
    with pytest.raises(ParameterError, match=r"'\.\./now' is this folder, whose files a search replaces: copy it"):
        earlier_searches(config("../now"))
    with pytest.raises(ParameterError, match="'gcn' does not learn from earlier searches; set it to gaussian_process"):
        earlier_searches(config("../before", kind="gcn"))
    (folders / "before/data/bootstrap/cells.parquet").unlink()
    with pytest.raises(DataError, match="before has 2 trainings that succeeded: 4 are needed"):
        earlier_searches(config("../before"))


def test_too_many_operations_of_all_searches_are_refused_at_once(folders, monkeypatch):
    names = tuple(f"own_{i}" for i in range(23))
    monkeypatch.setattr(OPERATIONS, "_added", {name: OPERATIONS.get("conv1x1") for name in names})
    with pytest.raises(DataError, match="operations has 25 names: predictors read 1 to 24"):
        earlier_searches(replace(config("../before"), cells=CellsConfig(operations=names)))
